"""Annotated recordings become a pack that names beats: a network or more for each fold of the
records, all of them in one."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from numpy.typing import NDArray
from torch import Tensor, nn

from firstread.domain.errors import BadConfiguration, BadDataset
from firstread.packs import RecordingInput
from firstread.runtime.beats import window_samples
from firstread.runtime.calibrate import probabilities
from firstread.train import checkpoint
from firstread.train.history import Progress
from firstread.train.recipe import Beats, Recipe
from firstread.train.recording.assemble import recording_pack
from firstread.train.recording.batches import changed, shown
from firstread.train.recording.beats import BeatSet, load_beats, parted
from firstread.train.recording.network import BeatEnsemble, BeatNetwork
from firstread.train.training import Training

_BATCH_READ = 512
_RARE = 100
"""Of a label with fewer beats than this nothing is drawn more often than it is."""


def train_recordings(wanted: Training) -> Path:
    """Train a recipe of kind recording, and write its pack; the pack's folder.

    A run that was killed goes on from its last whole epoch. Raises BadConfiguration where the
    recipe has no [beats], BadDataset where there are too few records to part.
    """
    recipe, say = wanted.recipe, wanted.say
    if recipe.beats is None or not wanted.fits:
        raise BadConfiguration(
            f"The recipe {recipe.name} needs a [beats] table and a folder with annotated WFDB "
            "records. Add the one, or name the other."
        )
    torch.set_num_threads(recipe.schedule.threads)
    torch.use_deterministic_algorithms(mode=True)
    given = input_of(recipe.beats)
    dataset = wanted.to_learn_from()
    say(f"Finding the beats of {len(dataset.items)} records")
    beats = load_beats(dataset, given=given, labels=recipe.sources[0].labels)
    folds = parted(beats, folds=recipe.beats.folds)
    if len(beats.names) < 2 * recipe.beats.folds or not all(folds):
        raise BadDataset(
            f"{dataset.name} has {len(beats.names)} records, too few for {recipe.beats.folds} "
            "folds. Add records, or lower [beats] folds."
        )
    turns = folds * recipe.beats.repeats
    say(f"{len(beats.targets)} beats; {len(turns)} networks learn in turn")
    runs = [
        _learnt(
            recipe,
            beats,
            turn,
            members,
            given=given,
            work=wanted.work,
            report=wanted.report,
            say=say,
        )
        for turn, members in enumerate(turns)
    ]
    logits = np.zeros((len(beats.targets), len(recipe.sources[0].labels)), np.float32)
    for members, run in zip(turns, runs, strict=True):
        held = _of(beats, members)
        logits[held.numpy()] += answers(run.network, beats, held) / recipe.beats.repeats
    offset = as_they_come(logits, beats.targets.numpy())
    say("Measuring, and writing the pack")
    return recording_pack(
        recipe,
        dataset,
        BeatEnsemble([run.network for run in runs], offset=torch.from_numpy(offset)),
        beats=beats,
        held=_of(beats, folds[0]).numpy(),
        logits=logits + offset,
        given=given,
        histories=[run.history for run in runs],
        out=wanted.out,
    )


def input_of(beats: Beats) -> RecordingInput:
    """What the pack's `[recording]` says."""
    names = (
        "leads", "preferred", "rate_hz", "before_s", "after_s", "beats_around", "alarm_beats",
        "min_length_s",
    )  # fmt: skip
    return RecordingInput(**{name: getattr(beats, name) for name in names})


def as_they_come(logits: NDArray[np.float32], targets: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is added to the logits [K] so that each label is said as often as it comes.

    Made-up beats are not counted among those that come, so that what learnt from them expects too
    many premature ones (Saerens et al., Neural Comput 14:21, 2002). Labels of which there are few
    stay as they are.

    >>> offset = as_they_come(np.zeros((400, 2), np.float32), np.arange(400) % 4 // 3)
    >>> [round(float(each), 2) for each in offset]
    [0.41, -0.69]
    """
    count = logits.shape[1]
    per = np.bincount(targets, minlength=count)
    offset = np.zeros(count)
    for _ in range(20):
        chances = probabilities(logits + offset.astype(np.float32), temperature=1.0)
        wanted = np.log(np.maximum(per / len(targets), 1e-9) / chances.mean(0))
        offset += np.where(per >= _RARE, wanted, 0.0)
    return np.asarray(offset, np.float32)


def answers(network: nn.Module, beats: BeatSet, chosen: Tensor) -> NDArray[np.float32]:
    """The logits [n, K] of beats as the reader shows them."""
    with torch.inference_mode():
        parts = [
            network(shown(beats, chosen[at : at + _BATCH_READ]))[0]
            for at in range(0, len(chosen), _BATCH_READ)
        ]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


@dataclass(kw_only=True)
class _Run:
    """One network while it learns; `network` has the averaged weights."""

    network: BeatNetwork
    learner: BeatNetwork
    optimizer: torch.optim.Optimizer
    history: list[Progress]
    steps: int = 0


def _learnt(
    recipe: Recipe,
    beats: BeatSet,
    turn: int,
    members: tuple[int, ...],
    *,
    given: RecordingInput,
    work: Path,
    report: Callable[[Progress], None],
    say: Callable[[str], None],
) -> _Run:
    """The network of one turn, which never sees the records in `members`."""
    path = work / f"{recipe.name}-{turn}-{recipe.fingerprint()[:16]}.pt"
    work.mkdir(parents=True, exist_ok=True)
    held = _of(beats, members)
    samples = checkpoint.samples_of(
        *([each.numpy()] for each in (beats.windows, beats.typical, beats.rhythm, beats.targets)),
        [held.numpy()],
    )
    run = _resumed(_begun(recipe, given=given, turn=turn), path, samples=samples, say=say)
    if run is None:
        run = _begun(recipe, given=given, turn=turn)
    mask = torch.ones(len(beats.targets), dtype=torch.bool)
    mask[held] = False
    learnt = torch.nonzero(mask).flatten()
    schedule, turns = recipe.schedule, 1
    if recipe.beats is not None:
        turns = recipe.beats.folds * recipe.beats.repeats
    for epoch in range(len(run.history), schedule.epochs):
        began = time.monotonic()
        loss = _epoch(run, recipe, beats, learnt, turn=turn, epoch=epoch, given=given)
        right = answers(run.network, beats, held).argmax(1) == beats.targets[held].numpy()
        took_s = time.monotonic() - began
        left = (turns - turn - 1) * schedule.epochs + schedule.epochs - epoch - 1
        run.history.append(
            Progress(
                epoch=turn * schedule.epochs + epoch + 1,
                epochs=turns * schedule.epochs,
                loss=loss,
                accuracy=float(right.mean()),
                took_s=took_s,
                left_s=left * took_s,
            )
        )
        _kept(run, path, samples=samples)
        report(run.history[-1])
    run.network.eval()
    return run


def _begun(recipe: Recipe, *, given: RecordingInput, turn: int) -> _Run:
    torch.manual_seed(_seed(recipe, turn, -1))
    before, length = window_samples(given)
    shape = recipe.beats or Beats()
    learner = BeatNetwork(
        leads=given.leads,
        rate_hz=given.rate_hz,
        before=before,
        length=length,
        around=given.beats_around,
        labels=len(recipe.sources[0].labels),
        width=shape.width,
        dropout=shape.dropout,
    )
    optimizer = torch.optim.AdamW(
        learner.parameters(), lr=recipe.schedule.rate, weight_decay=recipe.schedule.weight_decay
    )
    network = copy.deepcopy(learner).eval()
    return _Run(network=network, learner=learner, optimizer=optimizer, history=[])


def _epoch(
    run: _Run,
    recipe: Recipe,
    beats: BeatSet,
    learnt: Tensor,
    *,
    turn: int,
    epoch: int,
    given: RecordingInput,
) -> float:
    """One epoch; what is drawn follows from the seed, the turn and the epoch alone."""
    schedule, shape = recipe.schedule, recipe.beats or Beats()
    seed = _seed(recipe, turn, epoch)
    torch.manual_seed(seed)  # dropout
    draw = torch.Generator().manual_seed(seed)
    count = len(recipe.sources[0].labels)
    chosen, times = _drawn(beats, learnt, count=count, commonest=shape.commonest, draw=draw)
    premature = _premature(recipe)
    before, _ = window_samples(given)
    total, batches = 0.0, max(1, len(chosen) // schedule.batch)
    run.learner.train()
    for at in range(batches):
        signal, targets = changed(
            beats,
            chosen[at * schedule.batch : (at + 1) * schedule.batch],
            around=given.beats_around,
            before=before,
            rate_hz=given.rate_hz,
            made_up=shape.made_up if premature is not None else 0.0,
            fibrillating=shape.fibrillating if premature is not None else 0.0,
            premature=premature or 0,
            draw=draw,
        )
        progress = (epoch + at / batches) / schedule.epochs
        for group in run.optimizer.param_groups:
            group["lr"] = schedule.rate * _rate(progress, warmup=schedule.warmup)
        logits, _, _ = run.learner(signal)
        # Rare beats are drawn more often than they come; so much is taken off again, so that
        # probabilities are those of beats as they come (Menon et al., ICLR 2021).
        loss = F.cross_entropy(logits + times.log(), targets, label_smoothing=schedule.smoothing)
        run.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        nn.utils.clip_grad_norm_(run.learner.parameters(), 5.0)
        run.optimizer.step()
        run.steps += 1
        _average(run, share=min(schedule.average, (1 + run.steps) / (10 + run.steps)))
        total += float(loss.detach())
    return total / batches


def _drawn(
    beats: BeatSet, learnt: Tensor, *, count: int, commonest: float, draw: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The beats of one epoch in random order; and how many times as often each label was drawn."""
    targets = beats.targets[learnt]
    per = torch.bincount(targets, minlength=count)
    times = torch.ones(count)
    times[int(per.argmax())] = commonest
    few = (per < per.max() * 0.05) & (per >= _RARE)
    times[few] = 2.0
    parts = []
    for label in range(count):
        own = learnt[targets == label]
        if not len(own):
            continue
        rounds = max(1, math.ceil(float(times[label])))
        order = torch.cat([own[torch.randperm(len(own), generator=draw)] for _ in range(rounds)])
        parts.append(order[: max(1, round(len(own) * float(times[label])))])
    chosen = torch.cat(parts)
    return chosen[torch.randperm(len(chosen), generator=draw)], times


def _premature(recipe: Recipe) -> int | None:
    """The place of the label of premature beats with an ordinary QRS complex, S."""
    labels = recipe.sources[0].labels
    return labels.index("S") if "S" in labels else None


def _rate(progress: float, *, warmup: float) -> float:
    if progress < warmup:
        return 0.05 + 0.95 * progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) + 1e-3


def _average(run: _Run, *, share: float) -> None:
    with torch.no_grad():
        pairs = zip(run.network.parameters(), run.learner.parameters(), strict=True)
        for mean, now in pairs:
            mean.lerp_(now, 1 - share)


def _of(beats: BeatSet, members: tuple[int, ...]) -> Tensor:
    return torch.nonzero(torch.isin(beats.records, torch.tensor(members))).flatten()


def _seed(recipe: Recipe, turn: int, epoch: int) -> int:
    text = f"{recipe.seed} {turn} {epoch}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:6], "big")


def _kept(run: _Run, path: Path, *, samples: str) -> None:
    state = {
        "network": run.network.state_dict(),
        "learner": run.learner.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "steps": run.steps,
        "history": [vars(row) for row in run.history],
    }
    checkpoint.keep(state, path, samples=samples)


def _resumed(run: _Run, path: Path, *, samples: str, say: Callable[[str], None]) -> _Run | None:
    """The run with what its checkpoint holds; None where that is of another form, for it may have
    been taken in by half."""
    state = checkpoint.resume(path, samples=samples, say=say)
    if state is None:
        return run
    try:
        run.network.load_state_dict(state["network"])
        run.learner.load_state_dict(state["learner"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.history = [Progress(**row) for row in state["history"]]
        run.steps = int(state["steps"])
    except checkpoint.DAMAGE:
        checkpoint.set_aside(path, why="is of another form", say=say)
        return None
    say(f"Going on after {len(run.history)} epochs")
    return run
