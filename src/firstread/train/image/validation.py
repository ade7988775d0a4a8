"""What an epoch is worth: the averaged weights on validation samples."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from numpy.typing import NDArray
from torch import Tensor

from firstread.evaluation import auc, calibration_error, mean_of
from firstread.runtime.calibrate import probabilities
from firstread.train.device import Device
from firstread.train.image.networks import Network
from firstread.train.image.pixels import Pixels
from firstread.train.pack.thresholds import fit_temperature

# More would tell little more, and every epoch pays for them.
AT_MOST = 1000


class Watch:
    """Validation samples of a source, kept on the device in each size that the network learns
    at."""

    def __init__(self, pixels: Pixels, device: Device, *, seed: int) -> None:
        kept = np.array(pixels.parts.validation, np.int64)
        drawn = np.random.default_rng(seed).permutation(kept)[:AT_MOST]
        self._device = device
        self._head = pixels.source.name
        self._images = torch.from_numpy(pixels.images[np.sort(drawn)])
        self._truths = pixels.targets[np.sort(drawn)]
        self._at: tuple[tuple[int, int], Tensor] | None = None

    def figures(self, average: Network, *, size: tuple[int, int]) -> dict[str, float]:
        """`accuracy`, `auc`, `validation_loss` and `calibration_error` at pictures of this height
        and width; without validation samples the accuracy is 0 and the others are not known."""
        if not len(self._truths):
            return {"accuracy": 0.0}
        logits = logits_of(average, self._sized(size), head=self._head, device=self._device)
        truths = self._truths
        chances = probabilities(logits, temperature=fit_temperature(logits, truths).temperature)
        right = np.maximum(chances[np.arange(len(truths)), truths], 1e-12)
        areas = [auc(truths == index, chances[:, index]) for index in range(chances.shape[1])]
        return {
            "accuracy": float((chances.argmax(1) == truths).mean()),
            "auc": mean_of(areas),
            "validation_loss": -float(np.log(right).mean()),
            "calibration_error": calibration_error(truths, chances),
        }

    def _sized(self, size: tuple[int, int]) -> Tensor:
        if self._at is None or self._at[0] != size:
            images = self._images
            if size != tuple(images.shape[1:3]):
                planes = images.permute(0, 3, 1, 2).float()
                small = F.interpolate(planes, size=size, mode="bilinear", antialias=True)
                images = small.permute(0, 2, 3, 1).round().to(torch.uint8)
            self._at = size, images.to(self._device.place)
        return self._at[1]


def logits_of(
    network: Network, images: Tensor, *, head: str, device: Device
) -> NDArray[np.float32]:
    """The network's plain answers in float32: [N, H, W, 3] of 0..255 to [N, K]."""
    network.eval()
    # A processor without units for it computes bfloat16 more slowly, and here nothing is gained.
    mixed = device.place.type != "cpu"
    with torch.inference_mode(), torch.autocast(device.place.type, device.precision, enabled=mixed):
        answers = [network(batch, head).float() for batch in torch.split(images, 64)]
    found: NDArray[np.float32] = torch.cat(answers).cpu().numpy()
    return found
