"""Memory is asked for before it is used, and a sample is never at fault for want of it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from firstread.decoding.budget import Budget, usable_bytes
from firstread.domain.errors import ShortOfMemory


def test_what_others_hold_is_waited_for_and_then_told_to_come_again() -> None:
    budget = Budget(100, patience_s=0.05)
    with (
        budget.taken(60),
        pytest.raises(ShortOfMemory, match="Send it again in 5 seconds") as refusal,
        budget.taken(60),
    ):
        pass
    assert refusal.value.again_in_s == 5
    with budget.taken(100):
        pass


def test_what_is_given_back_is_taken_by_who_waits() -> None:
    budget, begun, taken = Budget(100, patience_s=30), threading.Event(), []

    def second() -> None:
        begun.set()
        with budget.taken(80):
            taken.append(time.monotonic())

    with budget.taken(80):
        waiting = threading.Thread(target=second)
        waiting.start()
        begun.wait(5)
        assert not taken
    waiting.join(5)
    assert taken


def test_more_than_there_is_at_all_is_refused_with_both_sizes() -> None:
    budget = Budget(2_000_000)
    said = "about 3 MB, and this process has 2 MB"
    with pytest.raises(ShortOfMemory, match=said), budget.taken(2_500_000):
        pass


def test_what_the_machine_refuses_after_all_is_no_fault_of_the_sample() -> None:
    budget = Budget(100)
    with pytest.raises(ShortOfMemory, match="short of memory"), budget.taken(50):
        raise MemoryError
    with budget.taken(100):
        pass
    assert usable_bytes() > 50_000_000


LIMITED = """
import io, resource, sys
import numpy as np
from PIL import Image
from firstread.imaging import decode
from firstread.domain.errors import ShortOfMemory
data = open(sys.argv[1], "rb").read()
decode(data)
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 30_000_000,) * 2)
try:
    decode(data)
except ShortOfMemory as error:
    print("SHORT", error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
@pytest.mark.parametrize("form", ["JPEG", "progressive JPEG", "PNG", "TIFF", "WEBP"])
def test_a_valid_picture_is_never_called_damaged_because_memory_is_short(
    form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import numpy as np
    from PIL import Image

    from tests.images_for_tests import save

    noise = np.random.default_rng(1).integers(0, 255, (3000, 3600, 3), dtype=np.uint8)
    file = tmp_path_factory.mktemp("large") / "picture"
    options = {"progressive": True} if "progressive" in form else {}
    file.write_bytes(save(Image.fromarray(noise), form.rsplit(maxsplit=1)[-1], **options))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("SHORT"), done.stderr
