"""Packs that checks read with: opened once, each by itself, and anew when they are replaced."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firstread.clinic.checks import readers
from firstread.clinic.models import Check
from firstread.domain.errors import PackRefused
from firstread.packs import find_pack
from firstread.runtime import PackReader
from tests.clinic_for_tests import Clinic
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(readers, "LOOKS_EVERY_S", 0.0)
    yield
    readers.forget()


@pytest.fixture
def own_shelf(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf that a test may change, with the pack `colour`."""
    monkeypatch.setenv("FIRSTREAD_PACKS", str(tmp_path))
    make_pack(tmp_path)
    return tmp_path


def replace(shelf: Path, **given: Any) -> None:
    """Another pack under the same name, as `cp -r` or `mv` leaves it."""
    made = make_pack(shelf / "making", **given)
    shutil.rmtree(shelf / "colour")
    made.rename(shelf / "colour")


def test_a_pack_is_opened_once(clinic: Clinic) -> None:
    assert readers.reader_of(clinic.leukaemia) is readers.reader_of(clinic.leukaemia)


@pytest.mark.usefixtures("looks_at_once")
def test_a_pack_that_is_replaced_on_its_shelf_is_read_with_at_once(
    clinic: Clinic, own_shelf: Path
) -> None:
    before = readers.reader_of(clinic.leukaemia)
    replace(own_shelf, version="1.1.0", gain=4.0)
    after = readers.reader_of(clinic.leukaemia)
    assert (before.manifest.version, after.manifest.version) == ("1.0.0", "1.1.0")
    assert after.read(cell_png()).read.version == "1.1.0"


@pytest.mark.usefixtures("looks_at_once")
def test_until_the_new_pack_is_whole_the_old_one_reads_on(
    clinic: Clinic, own_shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.reader_of(clinic.leukaemia)
    replace(own_shelf, version="1.1.0")
    model = own_shelf / "colour" / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:100])  # it is still being copied
    assert readers.reader_of(clinic.leukaemia).read(cell_png()).read.version == "1.0.0"
    model.write_bytes(whole)
    monkeypatch.setattr(readers, "TRY_AGAIN_S", 0.0)
    assert readers.reader_of(clinic.leukaemia).read(cell_png()).read.version == "1.1.0"


@pytest.mark.usefixtures("looks_at_once")
def test_a_pack_that_is_taken_from_its_shelf_reads_on_until_the_restart(
    clinic: Clinic, own_shelf: Path
) -> None:
    readers.reader_of(clinic.leukaemia)
    shutil.rmtree(own_shelf / "colour")
    assert readers.reader_of(clinic.leukaemia).read(cell_png()).read.label == "red"


def test_a_refused_pack_is_tried_again_as_soon_as_it_is_another(
    clinic: Clinic, own_shelf: Path
) -> None:
    readers.forget()
    (own_shelf / "colour" / "model.onnx").write_bytes(b"broken")
    for _ in range(2):
        with pytest.raises(PackRefused, match="is damaged"):
            readers.reader_of(clinic.leukaemia)
    replace(own_shelf)
    assert readers.reader_of(clinic.leukaemia).read(cell_png()).read.label == "red"


def test_a_pack_that_takes_long_to_open_holds_up_no_other_check(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.forget()
    opens, goes_on = threading.Event(), threading.Event()
    here = readers._open_here

    def slow(folder: Path) -> PackReader:
        if folder.name == "colour":
            opens.set()
            goes_on.wait(timeout=60)
        return here(folder)

    monkeypatch.setattr(readers, "_open_here", slow)
    found: list[object] = []
    thread = threading.Thread(
        target=lambda: found.append(readers._reader("colour", servers=())), daemon=True
    )
    thread.start()
    opens.wait(timeout=60)
    assert readers.reader_of(clinic.cytology).manifest.name == "sizes"
    goes_on.set()
    thread.join(timeout=60)
    assert len(found) == 1


def test_a_pack_of_another_kind_is_refused(clinic: Clinic) -> None:
    check = Check(name="leukaemia", pack="sizes", kind="image")
    with pytest.raises(PackRefused, match="reads measurements, and the check"):
        readers.reader_of(check)
    assert find_pack("sizes")
