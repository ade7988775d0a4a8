"""A small labelled set, and a recipe that learns it within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images_for_tests import cell_png

SMALL = """
name = "colours"
kind = "image"
seed = 5

[[source]]
name = "colours"
licence = "CC0-1.0"
labels = ["red", "blue"]
width_px = 32
height_px = 32

[network]
stem = 8
widths = [16, 16, 16]
depths = [1, 1, 1]

[augment]
stain = 0.02
brightness = 0.02
background = 0.0

[schedule]
epochs = 8
batch = 8
rate = 0.01
average = 0.8
small_until = 0.25

[shares]
validation = 0.25
test = 0.25

[pack]
check = "colours"
title = "Coloured blobs"
licence = "Apache-2.0"
intended_use = "Shows that a recipe becomes a pack."
limits = "Knows two colours."
many = false

[[label]]
code = "red"
title = "Red"
positive = true
priority = "urgent"

[[label]]
code = "blue"
title = "Blue"
positive = false
"""


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "colours"
    for label in ("red", "blue"):
        (folder / label).mkdir(parents=True)
        for number in range(24):
            picture = cell_png(label, seed=number, side_px=40)
            (folder / label / f"{number}.png").write_bytes(picture)
    return folder


@pytest.fixture
def recipe_file(tmp_path) -> Path:
    path = tmp_path / "colours.toml"
    path.write_text(SMALL)
    return path
