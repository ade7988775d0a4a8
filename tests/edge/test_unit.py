"""The service is one that systemd takes, and its settings are ones that the command has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from firstread.cli.edge import edge
from firstread.edge.token import CREDENTIAL

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "edge"
UNIT = DEPLOY / "firstread-edge.service"
EXPOSED_AT_MOST = 2.0
"""By `systemd-analyze security`: 0 may do nothing at all, 10 everything."""


def variables() -> set[str]:
    """The environment variables that the command's options are also read from."""
    found: set[str] = set()
    for option in edge.params:
        if isinstance(option, click.Option) and option.envvar:
            found |= {option.envvar} if isinstance(option.envvar, str) else set(option.envvar)
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there in place of the installed one."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed (no systemd-analyze)")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/firstread/bin/firstread edge", "/bin/true"))
    return copy


def test_systemd_takes_the_unit_as_it_is(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_may_do_little_beyond_its_work(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= EXPOSED_AT_MOST, done.stdout


def test_what_it_is_started_with_exists() -> None:
    text = UNIT.read_text()
    options = {name for option in edge.params for name in (*option.opts, *option.secondary_opts)}
    words = re.search(r"^ExecStart=\S+ edge (.*)$", text, re.MULTILINE)
    assert words is not None
    assert set(words[1].split()) <= options
    assert f"LoadCredential={CREDENTIAL}:" in text


def test_every_setting_of_the_example_is_one_and_every_setting_is_documented() -> None:
    example = (DEPLOY / "edge.env").read_text()
    named = set(re.findall(r"FIRSTREAD_EDGE_\w+", example))
    assert named
    assert named <= variables()
    page = (DEPLOY.parents[1] / "docs" / "configuration.md").read_text()
    row = next(line for line in page.splitlines() if "FIRSTREAD_EDGE_..." in line)
    ours = {name.removeprefix("FIRSTREAD_EDGE") for name in variables() if "EDGE" in name}
    assert ours == set(re.findall(r"`(_[A-Z_]+)`", row))
