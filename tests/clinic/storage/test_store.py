"""The store keeps bytes, and notices when they change."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from django.conf import settings

from firstread.clinic.storage import store
from firstread.domain.errors import StoreTrouble

pytestmark = pytest.mark.django_db


def test_what_was_put_in_comes_back_byte_for_byte() -> None:
    data = bytes(range(256)) * 100
    assert store.open(store.put(data)) == data


def test_the_same_bytes_are_kept_once() -> None:
    sha256 = store.put(b"once")
    assert store.put(b"once") == sha256
    assert len(list(Path(settings.FIRSTREAD.samples).rglob(f"{sha256}*"))) == 1


def test_a_changed_byte_is_refused() -> None:
    sha256 = store.put(b"as it was")
    (settings.FIRSTREAD.samples / sha256[:2] / sha256).write_bytes(b"as it is!")
    with pytest.raises(StoreTrouble, match="have changed"):
        store.open(sha256)


def test_good_bytes_heal_what_lies_damaged_in_their_place() -> None:
    sha256 = store.put(b"as it was")
    place = settings.FIRSTREAD.samples / sha256[:2] / sha256
    place.write_bytes(b"as it is!")
    assert store.what_ails(sha256) == "damaged"
    assert store.put(b"as it was") == sha256
    assert store.open(sha256) == b"as it was"


def test_missing_bytes_are_said_to_be_missing() -> None:
    with pytest.raises(StoreTrouble, match="missing from the store"):
        store.open("0" * 64)


def test_what_does_not_fit_leaves_no_piece_behind() -> None:
    before = set(Path(settings.FIRSTREAD.samples).rglob("*"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            store.put(b"too much" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    left = set(Path(settings.FIRSTREAD.samples).rglob("*")) - before
    assert not [path for path in left if path.is_file()]
