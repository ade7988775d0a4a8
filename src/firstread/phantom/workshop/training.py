"""Train the refiner that gives drawn phantoms the stain, grain and soft edges of real smears.

    python -m firstread.phantom.workshop recipes/phantom-blood.toml --data FOLDER --out FILE.onnx

The refiner only ever sees drawings; of the real pictures it learns what two small critics (one of
patches, one of the whole) and, where given, the frozen reader of a pack tell it. So no real pixel
can pass through it. Real pictures are turned and mirrored at every sight, which keeps the critics
from learning them by heart (Karras et al., arXiv:2006.06676).
"""

from __future__ import annotations

import copy
import csv
import io
import tomllib
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the name everybody knows
from PIL import Image
from torch import Tensor, nn

from firstread.domain.errors import BadConfiguration
from firstread.phantom.workshop.networks import Critic, Refiner


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What one refiner is trained on, and how."""

    check: str
    labels: tuple[str, ...]
    drawings_per_label: int = 280
    steps: int = 2500
    batch: int = 12
    rate: float = 3e-4
    keep_layout: float = 6.0
    keep_colour: float = 3.0
    read_as_meant: float = 0.3
    look_familiar: float = 3.0
    seed: int = 7
    threads: int = 1


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; an unknown or missing key is refused by name."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(raw) - {f.name for f in fields(Recipe)}
    if unknown:
        raise BadConfiguration(f"{path.name} has keys nobody knows: {', '.join(sorted(unknown))}.")
    return Recipe(**{**raw, "labels": tuple(raw["labels"])})


def turned(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture turned by quarters, mirrored and shifted by chance."""
    out = []
    for image in images:
        quarter, mirror, dy, dx = torch.randint(0, 1000, (4,), generator=generator).tolist()
        turned_image = torch.rot90(image, quarter % 4, (1, 2))
        if mirror % 2:
            turned_image = turned_image.flip(2)
        out.append(torch.roll(turned_image, (dy % 7 - 3, dx % 7 - 3), (1, 2)))
    return torch.stack(out).contiguous(memory_format=torch.channels_last)


def real_pictures(folder: Path, labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """All pictures of a data set with these labels: uint8 [M, H, W, 3] and their label numbers."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as rows:
        named = [(row["path"], row["label"]) for row in csv.DictReader(rows)]
    pixels, numbers = [], []
    with zipfile.ZipFile(folder / "images.zip") as archive:
        for name, label in named:
            if label in labels:
                with Image.open(io.BytesIO(archive.read(name))) as image:
                    pixels.append(np.asarray(image.convert("RGB")))
                numbers.append(labels.index(label))
    return np.stack(pixels), np.array(numbers)


def to_float(pixels: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in -1..1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1)


class Workshop:
    """One training run: networks, optimisers and data, and the steps between them."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        drawn: tuple[np.ndarray, np.ndarray],
        real: tuple[np.ndarray, np.ndarray],
        reader: nn.Module | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.reader = recipe, reader
        self.drawn, self.real = drawn, real
        self.by_label = [np.flatnonzero(real[1] == k) for k in range(len(recipe.labels))]
        self.refiner = Refiner(len(recipe.labels)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.refiner).requires_grad_(False)
        self.critic = Critic(len(recipe.labels)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.refine_step = torch.optim.Adam(self.refiner.parameters(), recipe.rate, (0.0, 0.99))
        self.judge_step = torch.optim.Adam(self.critic.parameters(), recipe.rate * 2, (0.0, 0.99))
        self.chance = np.random.default_rng(recipe.seed)
        self.torch_chance = torch.Generator().manual_seed(recipe.seed)
        self.done = 0

    def step(self) -> dict[str, float]:
        """One look of the critics, one correction of the refiner."""
        drawing, label, real = self._batch()
        grain = torch.randn(len(drawing), 4, *(s // 2 for s in drawing.shape[2:]))
        meant = F.one_hot(label, len(self.recipe.labels)).float()
        with torch.autocast("cpu", torch.bfloat16):
            refined = self.refiner(drawing, grain, meant)
        refined = refined.float()
        judged = self._judge(refined.detach(), real, meant)
        losses = self._losses(refined, drawing, label, meant)
        loss = torch.stack(list(losses.values())).sum()
        self.refine_step.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.refiner.parameters(), 5.0)
        self.refine_step.step()
        self._follow()
        self.done += 1
        return {"judged": judged} | {name: float(value.detach()) for name, value in losses.items()}

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        chosen = self.chance.integers(len(self.drawn[0]), size=self.recipe.batch)
        label = self.drawn[1][chosen]
        partners = np.array([self.chance.choice(self.by_label[k]) for k in label])
        drawing = turned(to_float(self.drawn[0][chosen]), self.torch_chance)
        real = turned(to_float(self.real[0][partners]), self.torch_chance)
        return drawing, torch.from_numpy(label).long(), real

    def _judge(self, refined: Tensor, real: Tensor, meant: Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16):
            near, far = self.critic(
                torch.cat([real, refined]).contiguous(memory_format=torch.channels_last),
                torch.cat([meant, meant]),
            )
        loss = torch.zeros(())
        for verdict in (near.float(), far.float()):
            on_real, on_refined = verdict.chunk(2)
            loss = loss + F.relu(1 - on_real).mean() + F.relu(1 + on_refined).mean()
        self.judge_step.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.judge_step.step()
        return float(loss.detach())

    def _losses(
        self, refined: Tensor, drawing: Tensor, label: Tensor, meant: Tensor
    ) -> dict[str, Tensor]:
        recipe = self.recipe
        with torch.autocast("cpu", torch.bfloat16):
            near, far = self.critic(refined, meant)
        change = F.avg_pool2d(refined, 4) - F.avg_pool2d(drawing, 4)
        tint = change.mean((2, 3), keepdim=True)
        losses = {
            "near": -near.float().mean(),
            "far": -far.float().mean(),
            "layout": recipe.keep_layout * (change - tint).abs().mean(),
            "colour": recipe.keep_colour * tint.abs().mean(),
        }
        if self.reader is not None:
            losses |= self._read(self.reader, refined, label)
        return losses

    def _read(self, reader: nn.Module, refined: Tensor, label: Tensor) -> dict[str, Tensor]:
        pixels = (refined.permute(0, 2, 3, 1) + 1) * 127.5
        with torch.autocast("cpu", torch.bfloat16):
            logits, embedding = reader(pixels)
        nearest = F.normalize(embedding.float(), dim=1) @ self.reference.T
        distance = 1 - nearest.topk(5, dim=1).values.mean(1)
        return {
            "meant": self.recipe.read_as_meant
            * F.cross_entropy(logits.float(), label, label_smoothing=0.1),
            "familiar": self.recipe.look_familiar * F.relu(distance - self.familiar_below).mean(),
        }

    def with_reference(self, reference: np.ndarray, *, familiar_below: float) -> None:
        """The reader's familiarity reference [M, D] (normalised), and how near is near enough."""
        self.reference = torch.from_numpy(reference.astype(np.float32))
        self.familiar_below = familiar_below

    def _follow(self) -> None:
        keep = min(0.998, (1 + self.done) / (10 + self.done))
        with torch.no_grad():
            for slow, fast in zip(
                self.average.parameters(), self.refiner.parameters(), strict=True
            ):
                slow.lerp_(fast, 1 - keep)

    def save(self, path: Path) -> None:
        """A checkpoint to go on from."""
        state = {
            name: getattr(self, name).state_dict()
            for name in ("refiner", "average", "critic", "refine_step", "judge_step")
        }
        part = path.with_suffix(".part")
        torch.save(state | {"done": self.done}, part)
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True)
        for name in ("refiner", "average", "critic", "refine_step", "judge_step"):
            getattr(self, name).load_state_dict(state[name])
        self.done = state["done"]
