"""A picture that is spoiled on purpose is spoiled as it says."""

from __future__ import annotations

import numpy as np
import pytest

from firstread.imaging import spoil
from firstread.imaging.quality import measure
from tests.images_for_tests import cell

PIXELS = np.asarray(cell(), dtype=np.uint8)


def test_blur_takes_sharpness_and_leaves_the_light() -> None:
    blurred = measure(spoil.blurred(PIXELS, share=0.03))
    assert blurred.sharpness < measure(PIXELS).sharpness / 4
    assert abs(blurred.brightness - measure(PIXELS).brightness) < 2


@pytest.mark.parametrize("times", [0.3, 0.5])
def test_light_scales_the_brightness(times: float) -> None:
    darker = measure(spoil.lit(PIXELS, times=times)).brightness
    assert darker == pytest.approx(measure(PIXELS).brightness * times, rel=0.02)


def test_noise_is_the_same_for_the_same_seed() -> None:
    grainy = spoil.grainy(PIXELS, levels=20, seed=3)
    assert (grainy == spoil.grainy(PIXELS, levels=20, seed=3)).all()
    assert measure(grainy).sharpness > 1.5 * measure(PIXELS).sharpness


def test_a_full_turn_of_the_hues_changes_nothing_and_a_half_one_much() -> None:
    whole = spoil.hue_turned(PIXELS, degrees=360).astype(int)
    half = spoil.hue_turned(PIXELS, degrees=180).astype(int)
    assert np.abs(whole - PIXELS).mean() < 3
    assert np.abs(half - PIXELS).mean() > 20


def test_without_colour_the_channels_are_one() -> None:
    grey = spoil.greyed(PIXELS)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert not (spoil.channels_in(PIXELS, order=(2, 1, 0)) == PIXELS).all()
    assert spoil.tinted(PIXELS, gains=(1.0, 1.0, 0.5))[..., 2].mean() < PIXELS[..., 2].mean()


@pytest.mark.parametrize("times", [0.3, 0.5, 1.0, 2.0])
def test_another_magnification_keeps_the_size(times: float) -> None:
    odd = PIXELS[:71, :53]
    assert spoil.magnified(odd, times=times).shape == odd.shape
