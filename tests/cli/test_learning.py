"""Who watches a training sees a bar within the epoch on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import re

from firstread.cli.learning import figures, learning, span
from firstread.train.history import Progress, Step

EPOCH = Progress(
    epoch=2, epochs=4, loss=0.512, accuracy=0.91, took_s=61.25, validation_loss=0.3, auc=0.987,
    calibration_error=0.021, left_s=130.0,
)  # fmt: skip


def watched() -> None:
    with learning("cells", epochs=4) as told:
        told.say("Opening 12 [pictures]")
        told.step(Step(epoch=2, epochs=4, done=5, steps=10))
        told.report(EPOCH)


def test_a_program_that_reads_the_lines_gets_one_an_epoch(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    watched()
    said = capsys.readouterr()
    assert said.out == ""
    first, second = said.err.splitlines()
    assert first == "Opening 12 [pictures]"
    assert second == (
        "epoch 2/4  loss 0.512  validation loss 0.300  validation accuracy 0.910  AUC 0.987  "
        "ECE 0.021  61.2 s  about 2 min left"
    )


def test_a_terminal_shows_a_bar_that_moves_within_the_epoch(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    watched()
    said = capsys.readouterr()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.err)
    assert "Opening 12 [pictures]" in plain
    assert "epoch 2.00/4" in plain
    assert "AUC 0.987  ECE 0.021  2 min left" in plain
    assert "about" not in plain


def test_what_is_not_known_is_not_shown():
    alone = Progress(epoch=1, epochs=2, loss=0.5, accuracy=0.0, took_s=1.0)
    assert figures(alone) == "loss 0.500  validation accuracy 0.000"


def test_time_is_told_as_a_person_tells_it():
    assert [span(each) for each in (0, 89, 91, 3599, 3700)] == [
        "0 s", "89 s", "2 min", "1 h 0 min", "1 h 2 min",
    ]  # fmt: skip
