"""Packs are opened once, kept under a cap, unloaded when idle, and replaced without a restart."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from firstread.domain.errors import BadConfiguration, PackRefused, UnknownPack
from firstread.edge.serve import warm
from firstread.edge.serve.warm import WarmPacks, folders_of
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack
from tests.serving_for_tests import Serving, serving


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def three(tmp_path: Path) -> dict[str, Path]:
    return {name: make_pack(tmp_path, name=name) for name in ("one", "two", "three")}


def replace_pack(folder: Path, *, gain: float, version: str = "2.0.0") -> None:
    """As an operator does it: another folder takes the place of the one that was there."""
    new = make_pack(folder.parent / "new", name=folder.name, gain=gain, version=version)
    shutil.rmtree(folder)
    new.rename(folder)


def damage(folder: Path) -> None:
    with (folder / "card.md").open("a") as card:
        card.write("one word too many")


def test_a_pack_is_opened_when_first_asked_for_and_once(three: dict[str, Path]) -> None:
    packs = WarmPacks(three)
    assert packs.warm() == {}
    assert packs.manifest("one").name == "one"
    assert packs.warm() == {}
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(packs.reader("one"))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert packs.opened == 1
    assert len({id(each) for each in found}) == 1
    assert list(packs.warm()) == ["one"]
    assert packs.is_warm("one")
    assert not packs.is_warm("two")


def test_an_unknown_pack_is_said_with_those_that_there_are(three: dict[str, Path]) -> None:
    with pytest.raises(UnknownPack, match="Packs here: one, two, three"):
        WarmPacks(three).reader("four")


def test_past_the_cap_the_least_recently_used_goes_first(
    three: dict[str, Path], clock: Clock
) -> None:
    packs = WarmPacks(three, memory_cap_mb=1e9, clock=clock)
    for name in ("one", "two"):
        packs.reader(name)
        clock.now_s += 1
    packs.reader("one")
    clock.now_s += 1
    packs._memory_cap_mb = sum(packs.warm().values()) + 1e-6
    packs.reader("three")
    assert "two" not in packs.warm()
    assert "three" in packs.warm()


def test_a_pack_larger_than_the_cap_is_read_with_alone(three: dict[str, Path]) -> None:
    packs = WarmPacks(three, memory_cap_mb=0.0)
    held = packs.reader("one")
    packs.reader("two")
    assert list(packs.warm()) == ["two"]
    assert held.read(cell_png("red")).read.label == "red"  # who holds it reads on


def test_what_nobody_asks_for_is_unloaded(three: dict[str, Path], clock: Clock) -> None:
    packs = WarmPacks(three, idle_s=10, clock=clock)
    assert packs.unload_idle() is None
    packs.reader("one")
    clock.now_s += 6
    packs.reader("two")
    assert packs.unload_idle() == pytest.approx(4)
    clock.now_s += 5
    assert packs.unload_idle() == pytest.approx(5)
    assert list(packs.warm()) == ["two"]
    clock.now_s += 5
    assert packs.unload_idle() is None
    assert packs.warm() == {}
    assert packs.reader("one").read(cell_png()).read.label == "red"


def test_a_replaced_pack_is_opened_anew(three: dict[str, Path], clock: Clock) -> None:
    packs = WarmPacks(three, clock=clock)
    before = packs.reader("one").read(cell_png()).read
    replace_pack(three["one"], gain=3.0)
    clock.now_s += warm.LOOK_AGAIN_S
    assert not packs.is_warm("one")
    after = packs.reader("one").read(cell_png()).read
    assert (before.version, after.version) == ("1.0.0", "2.0.0")
    assert after.probability < before.probability
    assert packs.manifest("one").version == "2.0.0"
    assert packs.opened == 2


def test_while_a_replacement_is_damaged_the_whole_pack_reads_on(
    three: dict[str, Path], clock: Clock
) -> None:
    packs = WarmPacks(three, clock=clock)
    packs.reader("one")
    damage(three["one"])
    (three["one"] / "SHA256SUMS").touch()
    clock.now_s += warm.LOOK_AGAIN_S
    assert packs.reader("one").read(cell_png()).read.version == "1.0.0"
    assert "card.md is not as it was sealed" in packs.refusals()["one"]
    assert packs.unready() is None
    replace_pack(three["one"], gain=3.0)
    clock.now_s += warm.LOOK_AGAIN_S
    assert packs.reader("one").read(cell_png()).read.version == "2.0.0"
    assert packs.refusals() == {}


@pytest.mark.parametrize("is_open", [True, False])
def test_a_replacement_that_is_copied_slowly_is_opened_when_it_is_whole(
    three: dict[str, Path], clock: Clock, is_open: bool
) -> None:
    packs = WarmPacks({"one": three["one"]}, clock=clock)
    if is_open:
        packs.reader("one")
    new = make_pack(three["one"].parent / "new", name="one", gain=3.0, version="2.0.0")
    for name in ("SHA256SUMS", "pack.toml"):
        shutil.copy(new / name, three["one"] / name)
    clock.now_s += warm.LOOK_AGAIN_S
    if is_open:
        assert packs.reader("one").manifest.version == "1.0.0"
    else:
        with pytest.raises(PackRefused):
            packs.reader("one")
    first = shutil.ignore_patterns("SHA256SUMS", "pack.toml")
    shutil.copytree(new, three["one"], ignore=first, dirs_exist_ok=True)
    clock.now_s += warm.LOOK_AGAIN_S
    assert packs.reader("one").manifest.version == "2.0.0"


def test_a_damaged_pack_is_refused_until_it_is_mended(three: dict[str, Path], clock: Clock) -> None:
    damage(three["one"])
    packs = WarmPacks({"one": three["one"]}, clock=clock)
    packs.expect(["one"])
    assert "still being opened" in (packs.unready() or "")
    for _ in range(3):
        with pytest.raises(PackRefused, match="not as it was sealed"):
            packs.reader("one")
    assert "not as it was sealed" in (packs.unready() or "")
    replace_pack(three["one"], gain=3.0)
    clock.now_s += warm.LOOK_AGAIN_S
    assert packs.reader("one").read(cell_png()).read.label == "red"
    assert packs.unready() is None


def test_a_pack_that_is_taken_away_reads_on_until_it_is_unloaded(
    three: dict[str, Path], clock: Clock
) -> None:
    packs = WarmPacks(three, idle_s=10, clock=clock)
    packs.reader("one")
    shutil.rmtree(three["one"])
    clock.now_s += warm.LOOK_AGAIN_S
    assert packs.reader("one").read(cell_png()).read.label == "red"
    clock.now_s += 10
    packs.unload_idle()
    with pytest.raises(PackRefused):
        packs.reader("one")


def test_opening_one_pack_keeps_nobody_from_reading_with_another(
    three: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = WarmPacks(three)
    packs.reader("one")
    may_go, opening = threading.Event(), threading.Event()
    opened = warm.open_reader

    def slowly(folder: Path, **options: Any) -> Any:
        opening.set()
        assert may_go.wait(30)
        return opened(folder, **options)

    monkeypatch.setattr(warm, "open_reader", slowly)
    slow = threading.Thread(target=packs.reader, args=("two",))
    slow.start()
    assert opening.wait(30)
    assert packs.reader("one").read(cell_png()).read.label == "red"
    may_go.set()
    slow.join()
    assert packs.is_warm("two")


def test_packs_without_a_twin_are_refused_where_twins_are_to_read(three: dict[str, Path]) -> None:
    packs = WarmPacks(three, precision="int8")
    with pytest.raises(PackRefused, match="carries no int8 twin"):
        packs.manifest("one")
    with pytest.raises(PackRefused, match="carries no int8 twin"):
        packs.reader("one")


def test_folders_are_found_by_the_name_in_the_pack(
    three: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    assert folders_of(["two"]) == {"two": three["two"]}
    assert {"one", "two", "three", "blood-cell"} <= set(folders_of([]))
    (three["one"] / "pack.toml").write_text("nonsense")
    assert "one" not in folders_of([])
    with pytest.raises(PackRefused):
        folders_of(["one"])
    other = make_pack(tmp_path / "elsewhere", name="two")
    with pytest.raises(BadConfiguration, match="Two of the packs are called 'two'"):
        folders_of(["two", str(other)])


def test_a_running_reader_takes_up_a_replaced_pack(tmp_path: Path) -> None:
    folder = make_pack(tmp_path, name="colour")
    with serving(folder) as reader:
        assert _version(reader) == "1.0.0"
        replace_pack(folder, gain=3.0)
        end = time.monotonic() + 30
        while _version(reader) != "2.0.0":
            assert time.monotonic() < end
            time.sleep(0.1)


def _version(reader: Serving) -> str:
    answer = httpx.post(f"{reader.url}/read/colour", content=cell_png())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["version"])


def test_a_running_reader_unloads_an_idle_pack_and_opens_it_again(shelf: Path) -> None:
    with serving("colour", shelf=shelf, options=["--idle-s", "0.3"]) as reader:
        for times in (1, 2):
            assert _version(reader) == "1.0.0"
            end = time.monotonic() + 30
            while sum('"pack_unloaded"' in line for line in reader.lines) < times:
                assert time.monotonic() < end
                time.sleep(0.05)
            warm_ones = [each["warm"] for each in httpx.get(f"{reader.url}/packs").json()]
            assert warm_ones == [False]


def test_a_running_reader_keeps_to_its_cap_and_answers_with_every_pack(tmp_path: Path) -> None:
    packs = [make_pack(tmp_path, name=f"pack-{number}") for number in range(3)]
    # A cap of 1 MB: packs with little files and a session each take about as much.
    with serving(*packs, options=["--memory-cap-mb", "1"]) as reader:
        for _ in range(3):
            for pack in packs:
                answer = httpx.post(f"{reader.url}/read/{pack.name}", content=cell_png())
                assert answer.json()["label"] == "red"


def test_a_damaged_pack_is_said_by_the_running_reader(tmp_path: Path) -> None:
    whole, broken = make_pack(tmp_path, name="whole"), make_pack(tmp_path, name="broken")
    damage(broken)
    with serving(whole, broken) as reader:
        answer = httpx.post(f"{reader.url}/read/broken", content=cell_png())
        assert answer.status_code == 503
        assert "card.md is not as it was sealed" in answer.json()["detail"]
        assert httpx.post(f"{reader.url}/read/whole", content=cell_png()).status_code == 200
        assert httpx.get(f"{reader.url}/healthz/ready").status_code == 200
        assert any('"pack_refused"' in line for line in reader.lines)
