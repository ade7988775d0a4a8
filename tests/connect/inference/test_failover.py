"""Several servers for one pack: who is asked, who is left alone, and what if none answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from firstread.connect.inference.addresses import address_of
from firstread.connect.inference.breaker import LONGEST_PAUSE_S, Breaker
from firstread.connect.inference.failover import CHECKED_AGAIN_S, Failover, Place
from firstread.connect.inference.open_inference import OpenInference
from firstread.domain.errors import NobodyReads, PackRefused, UnreadableSample
from firstread.packs import open_manifest
from firstread.runtime import PackReader, open_reader
from tests.images_for_tests import cell_png
from tests.inference_server_for_tests import InferenceServer, hangs, says, serving
from tests.packs_for_tests import make_pack


class Clock:
    """The only thing that is not real here."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def two(colour: Path) -> Iterator[list[InferenceServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(serving(InferenceServer(pack=colour))) for _ in range(2)]


def over(
    pack: Path,
    servers: list[InferenceServer],
    *,
    clock: Clock,
    here: Callable[[], PackReader] | None = None,
    patience_s: float = 30.0,
    timeout_s: float = 5.0,
) -> Failover:
    def place(server: InferenceServer) -> Place:
        def opened() -> PackReader:
            return open_reader(
                pack,
                network=lambda manifest: OpenInference(
                    address_of(server.url), manifest=manifest, timeout_s=timeout_s
                ),
            )

        return Place(name=server.host, open=opened, breaker=Breaker(clock=clock))

    return Failover(
        manifest=open_manifest(pack),
        places=[place(server) for server in servers],
        timeout_s=timeout_s,
        patience_s=patience_s,
        here=here,
        clock=clock,
    )


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_servers_that_answer_take_turns(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    assert reader.look() == [(server.host, "") for server in two]
    where = {reader.read(cell_png(seed=seed)).where for seed in range(4)}
    assert where == {f"at {server.host}" for server in two}


def test_a_server_that_fails_is_passed_over_and_the_outcome_says_so(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    reader.look()
    two[0].answers = says(500, b"{}")
    where = [reader.read(cell_png()).where for _ in range(6)]
    one, other = two[0].host, two[1].host
    assert where.count(f"at {other}, after {one} answers with 500") == 2  # then it is left alone
    assert where.count(f"at {other}") == 4


def test_a_server_that_came_back_is_taken_in_again_beside_the_reads(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    reader.look()
    two[0].answers = says(503, b"")
    for _ in range(4):
        reader.read(cell_png())
    assert [bool(why) for _, why in reader.look()] == [True, False]
    two[0].answers = lambda _: False
    clock.now_s += 2 * LONGEST_PAUSE_S

    def both() -> bool:
        return {reader.read(cell_png()).where for _ in range(2)} == {f"at {s.host}" for s in two}

    until(both)


def test_a_server_that_comes_back_with_another_model_is_not_read_with(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    reader.look()
    two[0].alters = lambda outputs: {**outputs, "logits": outputs["logits"] + 1}
    clock.now_s += CHECKED_AGAIN_S + 1  # it was never away: only the golden samples tell
    for place in reader.places:
        place.checked_at_s = 0.0

    def noticed() -> bool:
        reader.read(cell_png())
        return "it has another model" in reader.places[0].why_not

    until(noticed)
    assert reader.read(cell_png()).where == f"at {two[1].host}"


def test_a_wrong_model_is_never_read_with(colour: Path, tmp_path: Path, clock: Clock) -> None:
    wrong = make_pack(tmp_path, gain=3.0)
    with serving(InferenceServer(pack=wrong)) as server:
        reader = over(colour, [server], clock=clock)
        with pytest.raises(NobodyReads, match="does not answer as the pack does"):
            reader.read(cell_png())


def test_while_no_server_answers_the_sample_is_told_when_to_come_again(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    reader.look()
    for server in two:
        server.answers = says(500, b"")
    for _ in range(2):
        with pytest.raises(NobodyReads, match=r"answers with 500; .* answers with 500") as caught:
            reader.read(cell_png())
    assert 0.5 < caught.value.again_in_s < 2
    asked = sum(server.asked for server in two)
    with pytest.raises(NobodyReads):
        reader.read(cell_png())
    assert sum(server.asked for server in two) == asked  # both are left alone meanwhile


def test_a_server_that_stays_away_is_asked_less_and_less(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two[:1], clock=clock)
    two[0].answers = says(500, b"")
    pauses = []
    for _ in range(10):
        with pytest.raises(NobodyReads) as caught:
            reader.read(cell_png())
        pauses.append(caught.value.again_in_s)
        clock.now_s += caught.value.again_in_s
    assert pauses[0] < 1.5
    assert all(pause <= 1.25 * LONGEST_PAUSE_S for pause in pauses)
    assert pauses[-1] > 0.7 * LONGEST_PAUSE_S


def test_after_the_patience_it_is_read_here_until_a_server_is_back(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock, here=lambda: open_reader(colour), patience_s=30)
    for server in two:
        server.answers = says(500, b"")
    with pytest.raises(NobodyReads) as caught:
        reader.read(cell_png())
    assert caught.value.again_in_s <= 30
    clock.now_s += 31
    outcome = reader.read(cell_png())
    assert outcome.where.startswith(f"on this machine, because {two[0].host} answers with 500")
    assert outcome.read.runtime.startswith("onnxruntime")
    for server in two:
        server.answers = lambda _: False
    clock.now_s += 100
    until(lambda: reader.read(cell_png()).where.startswith("at "))


def test_without_patience_it_is_read_here_at_once(colour: Path, clock: Clock) -> None:
    with serving(InferenceServer(pack=colour)) as server:
        pass
    reader = over(colour, [server], clock=clock, here=lambda: open_reader(colour), patience_s=0)
    assert "cannot be reached" in reader.read(cell_png()).where


def test_where_this_machine_reads_otherwise_too_the_sample_waits(
    colour: Path, clock: Clock
) -> None:
    def refuses() -> PackReader:
        raise PackRefused("The pack answers differently on this machine.")

    with serving(InferenceServer(pack=colour)) as server:
        pass
    reader = over(colour, [server], clock=clock, here=refuses, patience_s=0)
    with pytest.raises(NobodyReads, match="And here: The pack answers differently"):
        reader.read(cell_png())


def test_a_sample_that_cannot_be_opened_is_no_servers_fault(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock)
    for _ in range(5):
        with pytest.raises(UnreadableSample):
            reader.read(b"no picture")
    assert reader.look() == [(server.host, "") for server in two]


def test_one_sample_spends_two_time_outs_on_servers_that_hang_and_no_more(
    colour: Path,
) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(InferenceServer(pack=colour))) for _ in range(4)]
        reader = over(colour, servers, clock=time.monotonic, timeout_s=0.3)  # type: ignore[arg-type]
        reader.look()
        before = [server.asked for server in servers]
        for server in servers:
            server.answers = hangs
        with pytest.raises(NobodyReads, match="did not answer within"):
            reader.read(cell_png())
        assert sum(s.asked - b for s, b in zip(servers, before, strict=True)) <= 3


def test_many_threads_read_the_same_while_servers_come_and_go(
    colour: Path, two: list[InferenceServer], clock: Clock
) -> None:
    reader = over(colour, two, clock=clock, here=lambda: open_reader(colour), patience_s=0)
    expected = open_reader(colour).read(cell_png()).logits
    stop = threading.Event()

    def flicker() -> None:
        for n in range(60):
            two[n % 2].answers = says(500, b"") if n % 3 else (lambda _: False)
            clock.now_s += 1
            time.sleep(0.01)
        stop.set()

    def read_on(_: int) -> int:
        count = 0
        while not stop.is_set():
            outcome = reader.read(cell_png())
            assert np.array_equal(outcome.logits, expected)
            count += 1
        return count

    with ThreadPoolExecutor(5) as pool:
        pool.submit(flicker)
        counts = list(pool.map(read_on, range(4)))
    assert all(counts)


def test_a_breaker_opens_after_two_failures_and_lets_one_try(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    breaker.failed()
    assert breaker.closed
    breaker.failed()
    assert not breaker.closed
    assert not breaker.may_try()
    clock.now_s += 2
    assert breaker.may_try()
    assert not breaker.may_try()  # one at a time
    breaker.failed()
    clock.now_s += 1.4
    assert not breaker.may_try()  # the pause has doubled
    clock.now_s += 2
    assert breaker.may_try()
    breaker.succeeded()
    assert breaker.closed


def test_failures_with_successes_between_open_nothing(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.closed
