"""What Firstread's own addresses take and answer."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from firstread.domain.kinds import WORDS
from firstread.domain.read import Beat, Contribution, Familiarity, Finding
from firstread.domain.verdict import Doubt
from firstread.edge.serve.describe import BINARY, TEXT, Form, answered, content, given


class Evidence(Struct):
    """A transparent PNG, in base64, to lay over the picture."""

    label: str
    png: str


class Stands(Struct, kw_only=True):
    """Whether a finding stands, and what is shown where it does not."""

    stands: bool
    doubt: Doubt | None
    says: str
    why: str
    would_say: Annotated[
        str | UnsetType, Meta(description="The label that is not shown as what was found.")
    ] = UNSET
    would_alarm: Annotated[
        list[str] | UnsetType, Meta(description="The alarms that are not raised.")
    ] = UNSET


class Answer(Struct, kw_only=True):
    """What a pack says of one sample."""

    verdict: Annotated[Stands, Meta(description="Whether the finding stands, and why not.")]
    label: Annotated[
        str | None, Meta(description="The most probable label; null where it does not stand.")
    ]
    probability: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None, Meta(description="Calibrated, or null as it.")
    ]
    findings: Annotated[list[Finding], Meta(description="Every label, most probable first.")]
    groups: Annotated[
        list[Finding],
        Meta(description="Each group of labels with the sum of their probabilities."),
    ]
    finding_set: Annotated[list[str], Meta(description="The labels that cannot be ruled out.")]
    familiarity: Annotated[
        Familiarity | None,
        Meta(description="How much the sample looks like what the pack was measured on."),
    ]
    alarms: Annotated[
        list[str], Meta(description="Positive labels and groups at or past their operating point.")
    ]
    unfit: Annotated[str | None, Meta(description="Why no model may be trusted with this sample.")]
    contributions: Annotated[
        list[Contribution] | UnsetType,
        Meta(description="Of measurements: what each adds to the logit of each label."),
    ] = UNSET
    counts: Annotated[
        dict[str, int] | UnsetType, Meta(description="Of recordings: beats of each label.")
    ] = UNSET
    beats: Annotated[
        list[Beat] | UnsetType, Meta(description="Of recordings: every beat, in order.")
    ] = UNSET
    notes: Annotated[
        list[str] | UnsetType,
        Meta(description="What of the file was chosen or passed over; absent where nothing was."),
    ] = UNSET
    pack: str
    version: str
    ms: Annotated[float, Meta(description="How long the read took.")]
    evidence: Annotated[
        Evidence | UnsetType | None,
        Meta(description="With ?evidence=png: the map; null where the pack has none."),
    ] = UNSET


Path = Annotated[str | UnsetType, Meta(description="The file's name in the form.")]
Line = Annotated[
    int | UnsetType, Meta(description="The line of the table, or place in the list, from 1.")
]


class Placed(Answer, kw_only=True):
    """What a pack says of one of many."""

    path: Path = UNSET
    line: Line = UNSET


class Unread(Struct, kw_only=True):
    """Why one of many cannot be read."""

    path: Path = UNSET
    line: Line = UNSET
    error: str
    notes: Annotated[list[str] | UnsetType, Meta(description="As of a read.")] = UNSET


class Label(Struct):
    code: str
    title: str
    positive: bool


class Group(Struct):
    """An answer that is the sum of several labels' probabilities."""

    code: str
    title: str
    labels: list[str]
    positive: bool


class PackInShort(Struct):
    name: str
    version: str
    title: str
    check: str
    kind: Annotated[str, Meta(extra_json_schema={"enum": list(WORDS)})]
    intended_use: str
    labels: list[Label]
    groups: list[Group]
    warm: Annotated[bool, Meta(description="Whether it is open and reads at once.")]


_PICTURE = content(BINARY | {"description": "The bytes of one picture."}, media_type="image/*")
ROW = dict[str, Any]
"""A number for each measurement."""
READS: list[Form] = [Answer, {"type": "array", "items": {"anyOf": [Placed, Unread]}}]
TAKES: dict[str, Any] = {
    **_PICTURE,
    "application/octet-stream": _PICTURE["image/*"],
    **content(TEXT, media_type="text/csv"),
    **content(
        BINARY | {"description": "A workbook (.xlsx) of measurements."},
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "description": "Each file is one sample, or a table of them; their names come back as "
            "`path`.",
            "properties": {"file": {"type": "array", "items": BINARY}},
            "required": ["file"],
        }
    },
}
ROWS: list[Form] = [ROW, Annotated[list[ROW], Meta(min_length=1)]]
ASKED = [
    given("evidence", "query", "Adds the evidence map.", schema={"enum": ["png"]}),
    given("label", "query", "The label whose map is wanted; the most probable one if absent."),
]
REFUSED = {
    400: "The multipart form is damaged.",
    404: "No pack of that name.",
    413: "The request is larger than this reader takes, or a table has too many rows.",
    415: "A picture for measurements, or the other way round.",
    422: "The sample cannot be read; the sentence says why.",
    503: "The pack is damaged, memory is short, or as many requests wait as are taken: Retry-After "
    "says when to send it again.",
}

READ: dict[str, Any] = {
    "description": (
        "A picture as the whole body, or several as files of a multipart form; for a pack of "
        "measurements a JSON object, a list of them, or a table: CSV with a header, or a workbook "
        "(.xlsx). One sample is answered with its read. A form, a list or a table is answered "
        "with a list in its order, in which a sample that cannot be read has `error` in place of "
        "a read."
    ),
    "parameters": ASKED,
    "requestBody": {
        "required": True,
        "content": TAKES
        | content(
            {
                "description": "A number for each measurement; or a list of such objects.",
                "anyOf": ROWS,
            }
        ),
    },
    **answered(content({"anyOf": READS}), says="The read, or the reads.", refused=REFUSED),
}
ALL_PACKS = answered(
    content(list[PackInShort]),
    says="Each pack in short.",
    refused={503: "A pack is damaged; the sentence says which."},
)
ONE_PACK = answered(
    content(dict[str, Any]),
    says="Its pack.toml as JSON, with the pack's hash as `pack_sha256`.",
    refused={404: REFUSED[404], 503: "The pack is damaged; the sentence says how."},
)
