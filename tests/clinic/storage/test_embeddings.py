"""What a network saw is kept with its read: small, true to half precision, and found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper

from firstread.clinic.models import ReadRow
from firstread.clinic.storage.embeddings import embeddings_of, pack_embedding, unpack_embedding
from firstread.runtime import open_reader
from firstread.runtime.session import Session
from tests.clinic_for_tests import Clinic, add_heartbeat, put_in_row, read_all, read_case
from tests.hearts_for_tests import recording_zip
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack

FINITE = st.floats(width=32, allow_nan=False)


@given(arrays(np.float32, st.integers(1, 300), elements=FINITE))
def test_it_comes_back_as_half_precision_holds_it(vector: np.ndarray) -> None:
    data = pack_embedding(vector)
    assert data is not None
    assert len(data) == 2 * len(vector)
    kept = unpack_embedding(data)
    assert np.isfinite(kept).all()
    within = np.abs(vector) <= 65504
    assert np.allclose(kept[within], vector[within], rtol=2**-11, atol=2**-24)
    assert (kept[~within] == 65504 * np.sign(vector[~within])).all()


def test_192_numbers_take_384_bytes_whatever_the_machine() -> None:
    assert len(pack_embedding(np.ones(192, np.float32)) or b"") == 384
    assert pack_embedding(np.array([1.0, -2.0], np.float32)) == b"\x00\x3c\x00\xc0"


def test_what_is_no_number_is_not_kept() -> None:
    assert pack_embedding(None) is None
    assert pack_embedding(np.array([1.0, np.nan], np.float32)) is None


def test_a_first_read_keeps_what_its_pack_gives(clinic: Clinic, shelf: Path) -> None:
    read_case("red", "green")
    seen = open_reader(shelf / "colour").read(cell_png("red", seed=1)).embedding
    assert seen is not None
    first = ReadRow.objects.order_by("pk").first()
    assert first is not None
    assert first.embedding is not None
    assert np.allclose(unpack_embedding(bytes(first.embedding)), seen, rtol=1e-3)


def test_a_recording_keeps_the_mean_over_its_beats(
    clinic: Clinic, beats_shelf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firstread.clinic.checks import readers
    from firstread.clinic.steps.intake import Incoming, receive

    monkeypatch.setenv("FIRSTREAD_PACKS", beats_shelf)
    check = add_heartbeat(clinic)
    data = recording_zip(seconds=30, wide=(4,))
    receive([Incoming(data=data, name="1.zip")], check="heartbeat", door="page", by=None)
    read_all()
    seen = readers.reader_of(check).read(data).embedding
    kept = unpack_embedding(bytes(ReadRow.objects.get().embedding or b""))
    assert (len(kept), seen is None) == (18, False)
    assert np.allclose(kept, seen, rtol=1e-3)


def test_a_row_of_measurements_has_none_unless_its_pack_gives_one(
    clinic: Clinic, tmp_path: Path
) -> None:
    put_in_row(size=9.0)
    read_all()
    assert ReadRow.objects.get().embedding is None
    file = make_pack(tmp_path, kind="measurements") / "model.onnx"
    model = onnx.load(str(file))
    model.graph.node.append(helper.make_node("Identity", ["logits"], ["embedding"]))
    model.graph.output.append(
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", 2])
    )
    onnx.save(model, str(file))
    given = Session(file, kind="measurements").run(np.ones((1, 3), np.float32))
    assert np.array_equal(given["embedding"], given["logits"])


def test_those_of_many_reads_are_one_array_with_their_ids(clinic: Clinic) -> None:
    read_case("red", "green", "blue")
    without = ReadRow.objects.order_by("pk").last()
    assert without is not None
    ReadRow.objects.filter(pk=without.pk).update(embedding=None)
    found = embeddings_of(ReadRow.objects.all())
    assert found.ids.tolist() == list(
        ReadRow.objects.exclude(pk=without.pk).order_by("pk").values_list("pk", flat=True)
    )
    assert (found.vectors.dtype, found.vectors.shape[0]) == (np.float32, 2)
    row = ReadRow.objects.get(pk=found.ids[1])
    assert np.array_equal(found.vectors[1], unpack_embedding(bytes(row.embedding or b"")))


def test_of_no_reads_there_is_an_empty_array(clinic: Clinic) -> None:
    found = embeddings_of(ReadRow.objects.all())
    assert (found.ids.shape, found.vectors.shape) == ((0,), (0, 0))


def test_those_of_different_packs_are_not_mixed(clinic: Clinic) -> None:
    read_case("red", "green")
    first = ReadRow.objects.order_by("pk").first()
    assert first is not None
    ReadRow.objects.filter(pk=first.pk).update(embedding=b"\x00\x3c")
    with pytest.raises(ValueError, match="differ in length"):
        embeddings_of(ReadRow.objects.all())
    assert embeddings_of(ReadRow.objects.filter(pk=first.pk)).vectors.tolist() == [[1.0]]
