"""A recipe learnt several times over: runs that differ in the order of their batches, and the mean
of their weights."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from firstread.train.device import Device, choose
from firstread.train.history import Progress, Step
from firstread.train.image.loop import Trained, fit
from firstread.train.image.networks import Network
from firstread.train.image.pixels import Pixels
from firstread.train.image.validation import Watch
from firstread.train.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """A network on the processor, and the runs whose weights it has the mean of."""

    network: Network
    runs: tuple[Trained, ...]


def fit_runs(
    recipe: Recipe,
    sources: Sequence[Pixels],
    *,
    state: Path,
    device: Device | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    step: Callable[[Step], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Learnt:
    """Learn the recipe `[schedule] runs` times; the mean of the weights that the runs end with.

    Runs that begin with the same learnt weights end in one basin, where the mean of their weights
    reads as well as all of them together would, at the price of one (Wortsman et al., ICML 2022).
    Where they do not, a ridge lies between them, and the mean has a higher validation loss than
    they have on average (Frankle et al., ICML 2020): then the best of them is taken alone. Each has
    a checkpoint of its own; a recipe that is given more runs keeps those it has. Raises what `fit`
    raises.
    """
    wanted = recipe.schedule.runs
    done: list[Trained] = []
    for number in range(wanted):
        if wanted > 1:
            say(f"Run {number + 1} of {wanted}")

        def whole(progress: Progress, *, coming: int = wanted - number - 1) -> None:
            per_epoch = progress.took_s * progress.epochs
            report(replace(progress, left_s=progress.left_s + coming * per_epoch))

        done.append(
            fit(
                recipe, sources, state=state, run=number,
                device=device, report=whole, step=step, say=say,
            )
        )  # fmt: skip
    if wanted == 1:
        return Learnt(network=done[0].network, runs=tuple(done))
    return _together(recipe, sources[0], done, say=say)


def _together(
    recipe: Recipe, own: Pixels, runs: Sequence[Trained], *, say: Callable[[str], None]
) -> Learnt:
    """The mean of all, or the best of them where the mean is no better than one that is drawn."""
    together = mean([each.network for each in runs])
    watch = Watch(own, choose("cpu", precision="float32"), seed=recipe.seed)
    height, width = own.images.shape[1:3]
    loss = watch.figures(together, size=(height, width)).get("validation_loss", math.nan)
    losses = [run.history[run.kept_epoch - 1].validation_loss for run in runs]
    say(
        f"Validation loss of the mean of the weights: {loss:.3f}; "
        f"of single runs: {', '.join(f'{each:.3f}' for each in losses)}"
    )
    if loss > statistics.fmean(losses):
        best = runs[losses.index(min(losses))]
        say("The runs did not end near each other: the pack gets the best of them alone.")
        return Learnt(network=best.network, runs=(best,))
    return Learnt(network=together, runs=tuple(runs))


def mean(networks: Sequence[Network]) -> Network:
    """A network with the mean of the weights of networks of one form."""
    found = copy.deepcopy(networks[0])
    states = [network.state_dict() for network in networks]
    with torch.no_grad():
        for name, value in found.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.stack([state[name].double() for state in states]).mean(0))
    return found.eval()


def how_it_learnt(runs: Sequence[Trained]) -> str:
    """How long it learnt, on what, and which weights it has; empty where nothing is known of it."""
    if not runs:
        return ""
    minutes = sum(row.took_s for run in runs for row in run.history) / 60
    longest = max(len(run.history) for run in runs)
    kept = " and ".join(str(each) for each in sorted({run.kept_epoch for run in runs}))
    if len(runs) == 1:
        early = longest < runs[0].history[-1].epochs
        ended = " It ended early, for want of progress." if early else ""
        return (
            f"It learnt {longest} epochs in {minutes:.0f} minutes on {runs[0].device}, and has the "
            f"weights of epoch {kept}.{ended}"
        )
    return (
        f"It learnt {len(runs)} times {longest} epochs, each time in another order, in "
        f"{minutes:.0f} minutes on {runs[0].device}, and has the mean of the weights of epoch "
        f"{kept}."
    )
