"""What torch trained is what ONNX Runtime reads, from the same bytes; anything else is refused."""
# ruff: noqa: E402  what needs the extra is imported after the skip

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

torch = pytest.importorskip("torch")

from firstread.domain.errors import BadConfiguration, PackRefused
from firstread.packs import Input
from firstread.runtime.prepare import pixels_of
from firstread.runtime.session import Session
from firstread.train.image.export import export_image, to_reader
from firstread.train.image.networks import build
from firstread.train.pack.export import TOLERANCE, refuse_difference
from firstread.train.recipe import NetworkShape, flips
from tests.images_for_tests import cell_png
from tests.train.learning_for_tests import RECIPE

RESIDUAL = NetworkShape(stem=8, widths=(16, 32), depths=(1, 2), views=2)
LITE = NetworkShape(family="lite", stages=4, frozen=1)
GIVEN = Input(width_px=64, height_px=64, colour="rgb", fit="crop", interpolation="bilinear")


def exported(shape, path):
    torch.manual_seed(1)
    network = build(replace(RECIPE, network=shape))
    with torch.no_grad():
        for parameter in network.heads.parameters():
            parameter.normal_()
    reader = to_reader(network, head="squares", flips=flips(shape.views, upright=False))
    cells = [pixels_of(cell_png(colour), GIVEN) for colour in ("red", "green", "blue")]
    apart = export_image(reader, path, height_px=64, width_px=64, pictures=np.stack(cells))
    return reader, apart


@pytest.mark.parametrize("shape", [RESIDUAL, LITE], ids=["residual", "lite"])
def test_the_same_bytes_give_the_same_logits_in_torch_and_in_the_reader(shape, tmp_path):
    reader, apart = exported(shape, tmp_path / "model.onnx")
    assert 0 <= apart <= TOLERANCE
    session = Session(tmp_path / "model.onnx", kind="image")
    for seed in range(5):
        pixels = pixels_of(cell_png("green", seed=seed), GIVEN)[np.newaxis]
        with torch.inference_mode():
            logits, embedding, evidence = (each.numpy() for each in reader(torch.tensor(pixels)))
        found = session.run(pixels)
        np.testing.assert_allclose(found["logits"], logits, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(found["embedding"], embedding, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(found["evidence"], evidence, rtol=0, atol=1e-3)


def test_a_picture_with_an_upper_end_is_mirrored_and_never_stood_on_its_head():
    torch.manual_seed(1)
    network = build(replace(RECIPE, network=RESIDUAL))
    with torch.no_grad():
        network.heads["squares"].weight.normal_()
    upright = to_reader(network, head="squares", flips=flips(2, upright=True))
    any_way = to_reader(network, head="squares", flips=flips(2, upright=False))
    image = torch.tensor(pixels_of(cell_png("green"), GIVEN))[None]
    image[:, :20, :20] = 0  # so that no two ways round look alike
    with torch.inference_mode():
        torch.testing.assert_close(upright(image)[0], upright(image.flip(2))[0])
        torch.testing.assert_close(any_way(image)[0], any_way(image.flip(1, 2))[0])
        assert (upright(image)[0] - any_way(image)[0]).abs().max() > 1e-4


def test_four_views_of_a_picture_with_an_upper_end_are_refused():
    with pytest.raises(BadConfiguration, match="are no 4 views of pictures with an upper end"):
        flips(4, upright=True)


def test_a_graph_that_answers_otherwise_is_refused(tmp_path):
    reader, _ = exported(RESIDUAL, tmp_path / "model.onnx")
    with torch.no_grad():
        reader.linear.bias[1] += 0.01
    pixels = np.full((1, 64, 64, 3), 120, np.uint8)
    with pytest.raises(PackRefused, match=r"answers 0\.01 away from the trained one. Train it"):
        refuse_difference(reader, tmp_path / "model.onnx", pixels, kind="image")


def test_a_network_that_has_gone_out_of_bounds_is_refused(tmp_path):
    reader, _ = exported(RESIDUAL, tmp_path / "model.onnx")
    with torch.no_grad():
        reader.linear.bias[0] = float("nan")
    pixels = np.full((1, 64, 64, 3), 120, np.uint8)
    with pytest.raises(PackRefused, match="answers nan away"):
        refuse_difference(reader, tmp_path / "model.onnx", pixels, kind="image")
