"""Rows of nine cell characteristics of a breast lump, drawn from the marginals of each class.

One latent severity couples the characteristics, as real ones are coupled; no real row is kept.
"""

from __future__ import annotations

import numpy as np

# Code, and the mean and spread of a 1-10 score: benign first, malignant second.
CHARACTERISTICS: tuple[tuple[str, tuple[float, float], tuple[float, float]], ...] = (
    ("clump_thickness", (3.0, 1.5), (7.3, 2.0)),
    ("uniformity_of_cell_size", (1.2, 0.6), (6.6, 2.2)),
    ("uniformity_of_cell_shape", (1.3, 0.7), (6.6, 2.2)),
    ("marginal_adhesion", (1.2, 0.6), (5.6, 2.8)),
    ("single_epithelial_cell_size", (2.1, 0.5), (5.3, 2.0)),
    ("bare_nuclei", (1.2, 0.6), (7.9, 2.4)),
    ("bland_chromatin", (2.0, 0.8), (5.9, 1.9)),
    ("normal_nucleoli", (1.2, 0.5), (5.9, 2.8)),
    ("mitoses", (1.0, 0.2), (2.5, 2.0)),
)
LABELS = ("benign", "malignant")
_SHARED = 0.5  # share of the spread that all nine have in common


def draw(label: str, rng: np.random.Generator) -> dict[str, float]:
    """One row of whole scores from 1 to 10."""
    severity = rng.normal()
    row = {}
    for code, benign, malignant in CHARACTERISTICS:
        mean, spread = malignant if label == "malignant" else benign
        own = rng.normal()
        score = mean + spread * (_SHARED * severity + (1 - _SHARED**2) ** 0.5 * own)
        row[code] = float(np.clip(round(score), 1, 10))
    return row
