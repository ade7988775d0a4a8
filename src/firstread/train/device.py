"""Where a network learns, a processor or a graphics card, and in which precision it computes
there."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Generator

from firstread.domain.errors import BadConfiguration

CHOICES = ("auto", "cpu", "cuda")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Device:
    """One value that goes with a run: whoever makes a tensor asks it where, and in what.

    >>> choose("cpu", precision="float32").name
    'the processor, in float32'
    """

    place: torch.device
    precision: torch.dtype

    @property
    def name(self) -> str:
        """What a person reads: the processor, or the graphics card by its name."""
        kind = str(self.precision).removeprefix("torch.")
        if self.place.type == "cpu":
            return f"the processor, in {kind}"
        return f"{torch.cuda.get_device_name(self.place)}, in mixed precision ({kind})"

    def autocast(self) -> AbstractContextManager[object]:
        """Inside it the network computes in this device's precision, and keeps its weights in
        float32."""
        return torch.autocast(
            self.place.type, self.precision, enabled=self.precision != torch.float32
        )

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps small gradients from vanishing in float16; does nothing in other precisions."""
        return torch.amp.GradScaler(self.place.type, enabled=self.precision == torch.float16)

    def generator(self, seed: int) -> Generator:
        """A source of random numbers of its own, on this device."""
        return Generator(self.place).manual_seed(seed)


def choose(wanted: str = "auto", *, precision: str = "bfloat16") -> Device:
    """The device of a run: `auto` takes a graphics card (CUDA) where there is one.

    `precision` is what a processor computes in; a graphics card always computes in mixed
    precision: bfloat16, or float16 where it has no bfloat16. Raises BadConfiguration where there is
    no such device or precision.
    """
    if precision not in PRECISIONS:
        raise BadConfiguration(
            f"The recipe's precision '{precision}' is unknown. Choose one of "
            f"{', '.join(PRECISIONS)}."
        )
    if wanted not in CHOICES:
        raise BadConfiguration(
            f"There is no device '{wanted}'. Choose one of {', '.join(CHOICES)}."
        )
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise BadConfiguration(
            "There is no graphics card that torch can use. Install its driver and a torch built "
            "for CUDA, or say --device cpu."
        )
    if wanted == "cpu" or not found:
        return Device(place=torch.device("cpu"), precision=PRECISIONS[precision])
    mixed = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return Device(place=torch.device("cuda"), precision=mixed)


def repeat_exactly(device: Device, *, threads: int) -> None:
    """From here on the same numbers give the same result: always on a processor, and on a graphics
    card as far as its operators can."""
    torch.set_num_threads(threads)
    on_card = device.place.type == "cuda"
    if on_card:
        # cuBLAS repeats itself only with a workspace of fixed size, and asks once, at its start.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=on_card)
    # It would fill every new tensor with NaN first; nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # the stub lacks it
