"""What was erased is noted beside the copies, also where their disk was away at that moment."""

from __future__ import annotations

from pathlib import Path

from firstread.clinic.keeping import copies, erased
from firstread.clinic.keeping.backup import back_up
from firstread.clinic.keeping.erase_patient import forget, plan_of
from tests.clinic_for_tests import Clinic, put_in


def _back_up(root: Path) -> copies.Copy:
    return copies.opened(back_up(root, settings_file=None, with_key=False, keep=None).folder)


def test_a_backup_notes_what_was_erased_while_its_disk_was_away(
    committed_clinic: Clinic, tmp_path: Path
) -> None:
    root = tmp_path / "copies"
    kept, gone = (put_in("red", accession=each, patient=each, seed=9) for each in ("P-1", "P-2"))
    first = _back_up(root)
    away = root.rename(tmp_path / "away")
    forget(plan_of("P-2"), even_undecided=True)
    away.rename(root)
    assert erased.since(root, made_at=first.told["made_at"]) == []
    newer = _back_up(root)
    assert erased.since(root, made_at=first.told["made_at"]) == [gone.pk]
    assert erased.since(root, made_at=newer.told["made_at"]) == []
    _back_up(root)
    assert (root / copies.ERASED).read_text().count(str(gone.pk)) == 1
    assert str(kept.pk) not in (root / copies.ERASED).read_text()


def test_a_line_that_a_killed_process_left_half_written_hides_no_other(
    committed_clinic: Clinic, tmp_path: Path
) -> None:
    case = put_in("red", accession="P-1", patient="P-1")
    first = _back_up(tmp_path / "copies")
    (first.root / copies.ERASED).write_text('{"at": "2026-11-')
    forget(plan_of("P-1"), even_undecided=True)
    assert erased.since(first.root, made_at=first.told["made_at"]) == [case.pk]
