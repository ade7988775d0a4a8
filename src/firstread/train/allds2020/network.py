"""AllDS2020's network and the way it learnt: fixed copies of every picture, and Adam or RMSprop."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from firstread.train.allds2020.fixed_copies import copies
from firstread.train.checkpoint import keep, resume, samples_of
from firstread.train.device import Device, choose, repeat_exactly
from firstread.train.history import Progress
from firstread.train.pack.export import rounded
from firstread.train.recipe import AllDs2020

WIDTH = 30
# Keras' constants of both optimisers, which differ from torch's.
KERAS_EPSILON = 1e-7
KERAS_RHO = 0.9

Images = NDArray[np.uint8]
Targets = NDArray[np.int64]


class AllNetwork(nn.Module):
    """Two convolutions of thirty 5x5 filters with ReLU, a maximum over 2x2, one dense layer.

    Its softmax stands outside: the logits are what it is applied to. Each zero padding of 2 is part
    of the convolution after it. Weights begin as Keras' do (Glorot uniform, biases 0).
    """

    def __init__(self, *, side_px: int = 100, labels: int = 2) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 5, padding=2)
        self.second = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.dense = nn.Linear(WIDTH * (side_px // 2) ** 2, labels)
        for layer in (self.first, self.second, self.dense):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # each of the three has a bias

    def features(self, image: Tensor) -> Tensor:
        """Pixels become maxima: uint8 or float of 0..255 [N, H, W, 3] to [N, 30, H/2, W/2]."""
        x = image.permute(0, 3, 1, 2).float() / 255
        return F.max_pool2d(F.relu(self.second(F.relu(self.first(x)))), 2)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.dense(self.features(image).flatten(1))
        return logits


class AllReader(nn.Module):
    """What its pack holds: `image` uint8 [N, H, W, 3] to `logits`, `embedding` and `evidence`.

    The dense layer weighs every place of every feature, so the evidence map is exact: the mean of a
    label's map plus the layer's bias is the label's logit.
    """

    def __init__(self, network: AllNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.network.features(image)
        dense = self.network.dense
        _, width, height_px, width_px = features.shape
        weights = dense.weight.reshape(dense.out_features, width, height_px, width_px)
        maps = [(features * weight).sum(1) for weight in weights]
        evidence = torch.stack(maps, dim=1) * (height_px * width_px)
        return dense(features.flatten(1)), features.mean((2, 3)), evidence


def to_reader(network: AllNetwork) -> nn.Module:
    """A copy of the network as its pack holds it, with its weights rounded as the file will."""
    return rounded(AllReader(copy.deepcopy(network)).eval())


def augmented(
    images: Images, targets: Targets, *, rotations: int, seed: int
) -> tuple[Images, Targets]:
    """All copies of all pictures [N, H, W, 3], those of one picture together, with their labels."""
    rng = np.random.default_rng(seed)
    made = np.concatenate([copies(image, rotations=rotations, by=rng) for image in images])
    return made, np.repeat(targets, len(made) // len(images))


def fit(
    images: Images,
    targets: Targets,
    how: AllDs2020,
    *,
    seed: int,
    labels: int = 2,
    device: Device | None = None,
    checkpoint: Path | None = None,
    watched: tuple[Images, Targets] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> AllNetwork:
    """Learn from uint8 [N, H, W, 3] as they are given (see `augmented`) and their targets [N].

    The loss is the cross-entropy, which for the two outputs of a softmax is the published binary
    cross-entropy. The same seed gives the same weights, bit for bit, on the same machine; with a
    `checkpoint` a run that was killed goes on from its last whole epoch to the same weights.
    `watched` are pictures whose accuracy is reported after each epoch.

    >>> images = np.zeros((8, 8, 8, 3), np.uint8)
    >>> images[4:] = 255
    >>> how = AllDs2020(epochs=30, rate=1e-3, batch=8)
    >>> network = fit(images, np.repeat([0, 1], 4), how, seed=1)
    >>> chances_of(network, images).argmax(1).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    place = device or choose("cpu", precision="float32")
    repeat_exactly(place, threads=how.threads)
    torch.manual_seed(seed)
    network = AllNetwork(side_px=images.shape[1], labels=labels).to(place.place)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    run = _Run(network, how)
    given, truths = torch.from_numpy(images).to(place.place), torch.from_numpy(targets)
    samples = samples_of(images, [targets])
    for epoch in range(_resumed(run, checkpoint, samples=samples, say=say), how.epochs):
        started = time.monotonic()
        drawn = Generator().manual_seed(seed * 1_000_003 + epoch)
        order = torch.randperm(len(given), generator=drawn)
        loss = run.epoch(given, truths.to(place.place), torch.split(order, how.batch))
        if checkpoint is not None:
            keep({"epoch": epoch, "parts": run.state()}, checkpoint, samples=samples)
        took_s = time.monotonic() - started
        report(
            Progress(
                epoch=epoch + 1,
                epochs=how.epochs,
                loss=loss,
                accuracy=_accuracy(network, watched),
                took_s=took_s,
                left_s=took_s * (how.epochs - epoch - 1),
            )
        )
    return network.eval().cpu()


def chances_of(network: AllNetwork, images: Images) -> NDArray[np.float64]:
    """The softmax of the network's answers: uint8 [N, H, W, 3] to [N, K]."""
    place = network.dense.weight.device
    with torch.inference_mode():
        parts = torch.split(torch.from_numpy(images), 64)
        answers = torch.cat([network(part.to(place)) for part in parts])
    chances: NDArray[np.float64] = answers.double().softmax(1).cpu().numpy()
    return chances


class _Run:
    """The network, its optimiser, and the rate that falls with every step."""

    def __init__(self, network: AllNetwork, how: AllDs2020) -> None:
        self._network = network
        self._optimiser = _optimiser(network, how)
        self._fading = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: 1 / (1 + how.decay * step)
        )

    def epoch(self, given: Tensor, truths: Tensor, batches: Sequence[Tensor]) -> float:
        """Learn from each batch once; the mean loss."""
        total = torch.zeros((), device=given.device)
        for chosen in batches:
            where = chosen.to(given.device)
            loss = F.cross_entropy(self._network(given[where]), truths[where])
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
            self._optimiser.step()
            self._fading.step()
            total += loss.detach() * len(chosen)
        return float(total) / len(given)

    def state(self) -> dict[str, Any]:
        return {key: part.state_dict() for key, part in self._parts().items()}

    def load(self, state: dict[str, Any]) -> None:
        for key, part in self._parts().items():
            part.load_state_dict(state[key])

    def _parts(self) -> dict[str, Any]:
        return {"network": self._network, "optimiser": self._optimiser, "fading": self._fading}


def _optimiser(network: AllNetwork, how: AllDs2020) -> torch.optim.Optimizer:
    if how.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=how.rate, eps=KERAS_EPSILON)
    return torch.optim.RMSprop(
        network.parameters(), lr=how.rate, alpha=KERAS_RHO, eps=KERAS_EPSILON
    )


def _resumed(
    run: _Run, checkpoint: Path | None, *, samples: str, say: Callable[[str], None]
) -> int:
    """The epoch to go on with."""
    state = None if checkpoint is None else resume(checkpoint, samples=samples, say=say)
    if state is None:
        return 0
    run.load(state["parts"])
    return int(state["epoch"]) + 1


def _accuracy(network: AllNetwork, watched: tuple[Images, Targets] | None) -> float:
    if watched is None or not len(watched[1]):
        return 0.0
    return float((chances_of(network, watched[0]).argmax(1) == watched[1]).mean())
