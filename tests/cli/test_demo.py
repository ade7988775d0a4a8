"""The demo stands by itself, and shows the packs that were taken in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firstread.cli.demo import _own_home
from tests.packs_for_tests import make_pack

SHOWN = """
from pathlib import Path
from firstread.cli.demo import _stand_alone
from firstread.packs import list_packs
_stand_alone(Path("demo").absolute(), host="127.0.0.1", port=8000)
print(*(pack.name for pack in list_packs()))
"""


@pytest.mark.parametrize("named", [{}, {"FIRSTREAD_PACKS": "named"}, {"FIRSTREAD_HOME": "home"}])
def test_packs_that_were_taken_in_are_shown_and_nothing_else_of_the_clinic(
    named: dict[str, str], tmp_path: Path
) -> None:
    make_pack(tmp_path / "data" / "firstread" / "packs", name="mine")
    make_pack(tmp_path / "home" / "packs", name="of-the-clinic")
    make_pack(tmp_path / "named", name="named-one")
    outside = {k: v for k, v in os.environ.items() if not k.startswith("FIRSTREAD_")}
    given = {"XDG_DATA_HOME": str(tmp_path / "data")}
    given |= {name: str(tmp_path / place) for name, place in named.items()}
    ran = subprocess.run(
        [sys.executable, "-c", SHOWN],
        env=outside | given,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = set(ran.stdout.split())
    assert "blood-cell" in shown
    assert ("mine" in shown) == ("FIRSTREAD_HOME" not in named)
    assert ("of-the-clinic" in shown) == ("FIRSTREAD_HOME" in named)
    assert ("named-one" in shown) == ("FIRSTREAD_PACKS" in named)


def test_each_checkout_has_a_demo_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = (tmp_path / name / "src" / "firstread" / "cli" / "demo.py" for name in "ab")
    assert _own_home(one) != _own_home(other)
    assert _own_home(one) == _own_home(one.parent / ".." / "cli" / "demo.py")
    assert _own_home(one).parent == tmp_path / "firstread"
