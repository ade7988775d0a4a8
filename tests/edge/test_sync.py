"""What waits in the spool reaches a real clinic once, through every kind of bad line and answer."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from firstread.client import Client
from firstread.clinic.accounts.tokens import revoke
from firstread.clinic.models import ApiToken, Case, Check, ReadRow, RefusedSample
from firstread.domain.errors import BadConfiguration
from firstread.edge.clock import BootClock
from firstread.edge.entries import Incoming
from firstread.edge.first_reads import read_next
from firstread.edge.spool import Spool
from firstread.edge.spool_file import resend
from firstread.edge.sync import Rest, Sync
from firstread.packs import find_pack
from firstread.runtime import PackReader, measurements_as_bytes, open_reader
from tests.images_for_tests import cell_png
from tests.programs_for_tests import make_program, open_clinic, read_all_cases


class Line(httpx.BaseTransport):
    """The line to the clinic, on which a test may lose answers or put others in their place."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.plan: list[str | httpx.Response | Exception] = []
        """What happens to the next posts: 'lost' after they arrived, an error, or an answer."""
        self.posts = 0
        self.down = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("no route to host")
        if request.method != "POST":
            return self._inner.handle_request(request)
        self.posts += 1
        planned = self.plan.pop(0) if self.plan else None
        if isinstance(planned, Exception):
            raise planned
        if isinstance(planned, httpx.Response):
            request.read()
            return planned
        response = self._inner.handle_request(request)
        if planned == "lost":
            response.read()
            raise httpx.ReadError("the network went away")
        return response

    def close(self) -> None:
        """The line outlives each client."""

    def end(self) -> None:
        self._inner.close()


@dataclass(kw_only=True)
class Ward:
    """An edge's spool with a line to a clinic."""

    spool: Spool
    sync: Sync
    line: Line
    reader: PackReader
    rows: PackReader
    secret: list[str]
    now: list[float] = field(default_factory=lambda: [1000.0])

    def keep(self, data: bytes, *, accession: str = "", **other: Any) -> None:
        values: dict[str, Any] = {
            "check": "leukaemia",
            "accession": accession,
            "patient": "",
            "name": f"{accession}_1.png",
            "kind": "image",
            "many": True,
            "boot": self.sync.clock.boot,
            "boot_s": self.sync.clock.since_boot_s(),
        }
        self.spool.keep(Incoming(**(values | other)), data)
        readers = {"leukaemia": self.reader, "breast-cytology": self.rows, "malaria": self.reader}
        while read_next(self.spool, readers, say=lambda _entry, _read: None):
            pass

    def turns(self, *, most: int = 30) -> Rest:
        """Turn until there is nothing to do at once."""
        for _ in range(most):
            rest = self.sync.turn()
            if rest.at_most_s:
                return rest
        raise AssertionError("it never rests")

    def later(self, seconds: float) -> None:
        self.now[0] += seconds


@pytest.fixture
def server(live_server: Any, shelf: Path) -> str:
    open_clinic()
    return str(live_server.url)


@pytest.fixture
def ward(server: str, tmp_path: Path) -> Iterator[Ward]:
    spool, line, now = Spool(tmp_path / "spool", most_bytes=2**26), Line(), [1000.0]
    secret = [make_program(scopes=("cases:write",)).secret]

    def connect() -> Client:
        return Client(server, secret[0], transport=line, tries=1, sleep=lambda _: None)

    clock = BootClock(spool=spool)
    clock.note_own()
    made = Ward(
        spool=spool,
        line=line,
        now=now,
        secret=secret,
        reader=open_reader(find_pack("colour")),
        rows=open_reader(find_pack("sizes")),
        sync=Sync(
            spool=spool,
            clock=clock,
            connect=connect,
            host="ward-3",
            keep=timedelta(days=7),
            now_s=lambda: now[0],
        ),
    )
    yield made
    made.sync.close()
    line.end()
    spool.close()


def test_what_waits_reaches_the_clinic_with_its_reads_and_files_of_a_case_go_together(
    ward: Ward,
) -> None:
    ward.keep(cell_png("red", seed=1), accession="A1")
    ward.keep(cell_png("green", seed=2), accession="A1")
    ward.keep(cell_png("blue", seed=3), accession="A2")
    row = measurements_as_bytes({"size": 9.0, "shape": 9.0})
    ward.keep(row, accession="B1", check="breast-cytology", kind="measurements", many=False)
    rest = ward.turns()
    assert rest.or_news
    assert ward.line.posts == 3
    read_all_cases()
    assert {(c.accession, c.state, c.finding, c.door) for c in Case.objects.all()} == {
        ("A1", "read", "red", "edge"),
        ("A2", "read", "blue", "edge"),
        ("B1", "read", "malignant", "edge"),
    }
    assert ReadRow.objects.count() == 4
    standing = ward.spool.standing()
    assert (standing.waiting, standing.sent, standing.trouble) == (0, 4, "")
    assert standing.last_contact


def test_while_the_network_is_away_all_waits_and_the_pauses_grow_to_a_minute(ward: Ward) -> None:
    ward.line.down = True
    ward.keep(cell_png(), accession="A1")
    pauses = []
    for _ in range(9):
        rest = ward.turns()
        assert not rest.or_news  # a new sample must not make it knock at once
        pauses.append(rest.at_most_s)
    assert pauses[0] < 3
    assert 40 < pauses[-1] <= 75
    assert "does not answer" in ward.spool.standing().trouble
    ward.line.down = False
    ward.turns()
    assert Case.objects.count() == 1
    assert ward.spool.standing().trouble == ""


def test_a_lost_answer_makes_nothing_twice(ward: Ward) -> None:
    ward.keep(cell_png("red"), accession="A1")
    ward.line.plan = ["lost", "lost"]
    ward.turns()
    ward.turns()
    ward.turns()
    assert ward.line.posts == 3
    read_all_cases()
    assert (Case.objects.count(), ReadRow.objects.count()) == (1, 1)
    assert ward.spool.standing().sent == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_clinic_is_waited_for(ward: Ward, status: int) -> None:
    ward.keep(cell_png(), accession="A1")
    ward.line.plan = [httpx.Response(status, json={"detail": "Busy. Wait."})]
    rest = ward.turns()
    assert (rest.or_news, Case.objects.count()) == (False, 0)
    ward.turns()
    assert (Case.objects.count(), ward.spool.standing().held) == (1, 0)


def test_a_sample_that_the_clinic_stumbles_over_does_not_hold_up_those_behind_it(
    ward: Ward,
) -> None:
    ward.keep(cell_png(seed=1), accession="A1")
    ward.keep(cell_png(seed=2), accession="A2")
    ward.line.plan = [httpx.Response(500, json={"detail": "Something went wrong here."})]
    ward.turns()
    rest = ward.turns()
    assert [case.accession for case in Case.objects.all()] == ["A2"]
    assert rest.at_most_s <= 40  # it does not wait for the next sample to try again
    ward.later(40)
    ward.turns()
    assert Case.objects.count() == 2


def test_a_revoked_token_is_said_and_everything_is_kept_until_another_is_there(ward: Ward) -> None:
    ward.keep(cell_png(), accession="A1")
    revoke(ApiToken.objects.get())
    rest = ward.turns()
    assert rest.at_most_s > 100
    standing = ward.spool.standing()
    assert (standing.waiting, standing.held) == (1, 0)
    assert "Nothing is lost" in standing.trouble
    ward.turns()
    assert ward.spool.standing().trouble  # meeting the clinic does not make the token good
    ward.secret[0] = make_program(scopes=("cases:write",)).secret
    ward.turns()
    assert (Case.objects.count(), ward.spool.standing().trouble) == (1, "")


def test_a_token_without_its_scope_or_none_at_all_loses_nothing(ward: Ward) -> None:
    ward.keep(cell_png(), accession="A1")
    ward.secret[0] = make_program(scopes=("cases:read",)).secret
    ward.turns()
    assert "cases:write" in ward.spool.standing().trouble

    def none() -> Client:
        raise BadConfiguration("There is no token.")

    ward.sync.connect = none
    ward.sync.close()
    ward.turns()
    assert ward.spool.standing().trouble.startswith("There is no token.")
    assert ward.spool.standing().waiting == 1


def test_what_cannot_be_opened_is_with_the_clinic_as_refused(ward: Ward) -> None:
    ward.keep(b"%PDF-1.7", name="scan.pdf", accession="A1", refusal="This is a PDF.")
    ward.turns()
    kept = RefusedSample.objects.get()
    assert (kept.original_name, kept.door) == ("scan.pdf", "edge")
    standing = ward.spool.standing()
    assert (standing.sent, standing.refused, standing.held, standing.waiting) == (1, 1, 0, 0)


def test_what_the_clinic_does_not_take_is_kept_with_its_sentence_and_others_go_on(
    ward: Ward, tmp_path: Path
) -> None:
    ward.keep(cell_png(seed=1), accession="A1", check="malaria")
    ward.keep(cell_png(seed=2), accession="A2")
    ward.turns()
    assert [case.accession for case in Case.objects.all()] == ["A2"]
    ((_, check, said),) = ward.spool.standing().held_entries
    assert (check, "no check 'malaria'" in said) == ("malaria", True)
    Check.objects.create(name="malaria", title="Malaria", pack="colour", kind="image", many=True)
    assert resend(tmp_path / "spool") == 1
    ward.turns()
    assert Case.objects.filter(check_row="malaria").count() == 1
    assert ward.spool.standing().held == 0


def test_one_sample_that_is_not_taken_keeps_none_of_its_case_out(ward: Ward) -> None:
    for seed in range(3):
        ward.keep(cell_png(seed=seed), accession="A1")
    too_large = httpx.Response(413, text="<html>Request Entity Too Large</html>")
    ward.line.plan = [too_large, too_large]
    ward.turns()
    assert Case.objects.get().samples.count() == 2
    standing = ward.spool.standing()
    assert (standing.held, standing.sent) == (1, 2)


def test_a_check_that_takes_one_picture_a_case_gets_them_one_by_one(ward: Ward) -> None:
    Check.objects.filter(name="leukaemia").update(many=False)
    for seed in range(3):
        ward.keep(cell_png(seed=seed), accession="A1")
    ward.turns()
    assert [case.part for case in Case.objects.order_by("part")] == [1, 2, 3]
    assert ward.spool.standing().sent == 3


@pytest.fixture
def strangers_address(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A server with a certificate that nobody signed, and what was asked of it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL
    )
    asked: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

        def do_POST(self) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_certificate_that_is_not_trusted_is_said_and_nothing_is_sent(
    ward: Ward, strangers_address: tuple[str, list[str]]
) -> None:
    address, asked = strangers_address
    ward.sync.connect = lambda: Client(address, ward.secret[0], tries=1)
    ward.keep(cell_png(), accession="A1")
    ward.turns()
    standing = ward.spool.standing()
    assert "certificate of localhost" in standing.trouble
    assert "clock" in standing.trouble
    assert (standing.waiting, asked) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Welcome</html>"),
        httpx.Response(404, text="nothing here"),
        httpx.Response(301, headers={"Location": "https://x.example"}),
    ],
    ids=["a page", "not found", "moved"],
)
def test_something_else_at_the_address_gets_no_sample(
    ward: Ward, tmp_path: Path, answer: httpx.Response
) -> None:
    posts = []

    def other(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posts.append(request)
        return answer

    ward.sync.connect = lambda: Client(
        "http://x.example", "frs_1", transport=httpx.MockTransport(other), tries=1
    )
    ward.keep(cell_png(), accession="A1")
    ward.turns()
    assert "no Firstread clinic" in ward.spool.standing().trouble
    assert (posts, ward.spool.standing().waiting) == ([], 1)


def test_turnaround_counts_from_the_receipt_at_the_edge_by_the_clinics_clock(ward: Ward) -> None:
    clock = ward.sync.clock
    clock.own_s = lambda: 86400.0 * 365  # this machine believes it is 1971
    clock.note_own()
    ward.keep(cell_png(), accession="A1", boot_s=clock.since_boot_s() - 3600)
    ward.turns()
    ago = datetime.now(tz=UTC) - Case.objects.get().received_at
    assert abs(ago - timedelta(hours=1)) < timedelta(seconds=30)


def test_what_was_sent_is_forgotten_after_its_days(ward: Ward, tmp_path: Path) -> None:
    ward.sync.keep = timedelta(0)
    ward.keep(cell_png(), accession="A1")
    ward.turns()
    ward.turns()
    assert not [p for p in (tmp_path / "spool" / "samples").rglob("*") if p.is_file()]
    assert ward.spool.standing().sent == 1


def test_what_rotted_on_the_card_is_told_of_and_the_rest_of_its_case_goes(ward: Ward) -> None:
    ward.keep(cell_png(seed=1), accession="A1")
    ward.keep(cell_png(seed=2), accession="A1")
    first = ward.spool.next_parcel()[0]
    ward.spool.samples.path(first.sha256).write_bytes(b"rotten")
    ward.turns()
    assert Case.objects.get().samples.count() == 1
    assert "put the sample in again" in ward.spool.standing().held_entries[0][2]


def test_no_log_holds_an_accession_a_name_a_finding_or_the_token(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        ward.keep(cell_png("red"), accession="865102", name="865102_Miller.png")
        ward.keep(cell_png("red", seed=2), accession="865103", check="malaria", patient="P77")
        ward.line.plan = [httpx.Response(503), "lost"]
        for _ in range(4):
            ward.turns()
        revoke(ApiToken.objects.get())
        ward.keep(cell_png("red", seed=3), accession="865104")
        ward.turns()
    said = "\n".join(
        f"{r.name} {r.getMessage()}" for r in caplog.records if r.name.startswith("firstread")
    )
    assert said
    for secret in ("8651", "Miller", "P77", ward.secret[0], " red"):
        assert secret not in said
