"""Reading again: the same pack says the same, or Firstread says what changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from firstread.clinic.models import ReadRow
from firstread.clinic.replay import replay
from firstread.domain.errors import PackRefused
from tests.clinic_for_tests import Clinic, read_case


def test_the_same_pack_gives_the_same_numbers_again(clinic: Clinic) -> None:
    case = read_case("red", "green")
    again = replay(case.pk)
    assert [each.position for each in again] == [1, 2]
    assert all(each.same and each.changed == () for each in again)


def test_other_numbers_are_told_by_how_much(clinic: Clinic) -> None:
    case = read_case("red")
    row = ReadRow.objects.get(case_sample__case=case)
    row.body["logits"][0] += 0.5
    row.save()
    (again,) = replay(case.pk)
    assert not again.same
    assert again.changed == ("the numbers differ by up to 0.5",)


def test_a_pack_that_is_gone_and_one_that_is_damaged_have_each_their_own_sentence(
    clinic: Clinic, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case("red")
    other = tmp_path / "shelf"
    other.mkdir()
    monkeypatch.setenv("FIRSTREAD_PACKS", str(other))
    with pytest.raises(PackRefused, match=r"is not here\. Put it back on a shelf"):
        replay(case.pk)
    shutil.copytree(shelf / "colour", other / "colour")
    (other / "colour" / "card.md").write_text("Another card")
    with pytest.raises(PackRefused, match=r"is damaged: card\.md"):
        replay(case.pk)
