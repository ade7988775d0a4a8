"""Everything that Firstread raises on purpose, one tree, each message a sentence with the remedy.

FirstreadError
├── SampleAtFault         the sample itself cannot be read, wherever it is tried
│   ├── UnreadableSample  not an image, truncated, too large: what was put in cannot be opened
│   │   └── TooManyRows   a table of more rows than are taken at once; its parts can be
│   ├── BadMeasurement    a measurement is missing, not a number, or out of range; names the field
│   └── StopsReaders      whatever reads it is stopped by it, in a process of its own as well
├── TroubleElsewhere      no fault of the sample: what waits for it is done once that is mended
│   ├── UnknownPack       no pack of that name where packs are looked for
│   ├── PackRefused       the pack is damaged, or answers differently on this machine
│   ├── StoreTrouble      the store cannot be reached, or has lost or damaged what was put in
│   ├── KeyMissing        the key that seals the audit trail is not here, or is another
│   ├── ShortOfMemory     this machine has too little memory for it at the moment
│   └── Unreachable       a server did not answer
│       └── NobodyReads   none of the servers that read for a check answers
├── BadRequest            a request is not of the form that its protocol asks for; `status` tells
├── TwinRefused           the int8 twin of a pack is worse than the network it would stand in for
├── ModelRefused          a model from elsewhere cannot become a pack, or not without being trusted
├── DownloadRefused       what an address gives is not what was asked for: other bytes, too large
├── UnknownKind           samples of that kind are not known here
├── UnknownCheck          no check of that name is set up
├── UnknownCase           no case of that number
├── UnknownLabel          no phantom shows that label
├── WrongState            the case is not in a state that allows this step
├── NotAllowed            this person may not do this
├── ConflictingRequest    the same idempotency key came with another request
├── BadDataset            a folder of labelled samples does not have the form it should
├── BadArchive            what should be screened cannot be opened or listed, or holds no samples
├── ResultsTaken          a results file belongs to another run, or another process writes it
├── BadConfiguration      a setting does not hold what it should
├── SpoolRefused          an edge's spool is damaged, of another version, or in another's hands
├── AuditBroken           the audit trail does not add up
├── BackupRefused         a copy cannot be made there, is damaged, or may not be restored here
└── MissingExtra          the command needs an extra that is not installed
"""


class FirstreadError(Exception):
    """A refusal that a person can read: one sentence that says what happened and what to do."""

    exit_code = 1


class SampleAtFault(FirstreadError):
    """The sample itself is why it cannot be read: it would be so on any machine, on any day."""


class TroubleElsewhere(FirstreadError):
    """Something else than the sample is why: it is tried again, and never unfit for this."""


class UnreadableSample(SampleAtFault):
    """What was put in cannot be opened as a sample."""


class TooManyRows(UnreadableSample):
    """A table has more rows than are taken at once; in several parts it can be read."""


class BadMeasurement(SampleAtFault):
    """A measurement is missing, not a number or out of range; `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class StopsReaders(SampleAtFault):
    """Whatever reads the sample is stopped by it, where nothing else could have stopped it."""


class StoreTrouble(TroubleElsewhere):
    """The store cannot be reached, or has lost or damaged what was put in."""


class KeyMissing(TroubleElsewhere):
    """The key that seals this database's audit trail is not here, or is another."""

    exit_code = 2


class BadRequest(FirstreadError):
    """A request is not of the form that its protocol asks for; `status` is HTTP's number."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class UnknownPack(TroubleElsewhere):
    """No pack of that name lies where packs are looked for."""

    exit_code = 2


class PackRefused(TroubleElsewhere):
    """The pack is damaged, of an unknown format, or answers differently on this machine."""


class TwinRefused(FirstreadError):
    """The int8 twin is less accurate than the pack's own network, or slower on this machine."""


class ModelRefused(FirstreadError):
    """A model from elsewhere cannot become a pack, or not without being trusted."""


class DownloadRefused(FirstreadError):
    """What an address gives is not what was asked for: other bytes, or too many."""


class UnknownKind(FirstreadError):
    """Samples of that kind are not known here."""

    exit_code = 2


class UnknownCheck(FirstreadError):
    """No check of that name is set up."""

    exit_code = 2


class UnknownCase(FirstreadError):
    """There is no case of that number."""

    exit_code = 2


class UnknownLabel(FirstreadError):
    """No phantom of the check shows that label."""

    exit_code = 2


class WrongState(FirstreadError):
    """The case is not in a state that allows this step."""


class NotAllowed(FirstreadError):
    """This person may not do this."""


class ConflictingRequest(FirstreadError):
    """The same idempotency key came with another request."""


class BadDataset(FirstreadError):
    """A folder of labelled samples does not have the form it should."""


class BadArchive(FirstreadError):
    """What should be screened cannot be opened or listed, or holds no samples."""

    exit_code = 2


class ResultsTaken(FirstreadError):
    """A results file belongs to another run, or another process writes it."""

    exit_code = 2


class BadConfiguration(FirstreadError):
    """A setting does not hold what it should."""

    exit_code = 2


class SpoolRefused(FirstreadError):
    """An edge's spool is damaged, of another version, or worked with by another process."""

    exit_code = 2


class AuditBroken(FirstreadError):
    """The audit trail does not add up."""


class BackupRefused(FirstreadError):
    """A copy cannot be made there, is damaged, or may not be restored here."""


class Unreachable(TroubleElsewhere):
    """A server did not answer, or with nothing of use; then `status` is what it answered with."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NobodyReads(Unreachable):
    """None of the servers that read for a check answers; asking again helps in `again_in_s`."""

    def __init__(self, message: str, *, again_in_s: float) -> None:
        super().__init__(message)
        self.again_in_s = again_in_s


class ShortOfMemory(TroubleElsewhere):
    """There is too little memory to open a sample now; asking again helps in `again_in_s`."""

    def __init__(self, message: str, *, again_in_s: float) -> None:
        super().__init__(message)
        self.again_in_s = again_in_s


class MissingExtra(FirstreadError):
    """The command needs an extra that is not installed."""

    exit_code = 2

    def __init__(self, *, command: str, extra: str) -> None:
        super().__init__(
            f"'firstread {command}' needs the extra '{extra}'. "
            f"Install it: pip install 'firstread[{extra}]'"
        )
