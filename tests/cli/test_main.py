"""The command line says what is wrong in one sentence, and starts at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import firstread
from firstread.cli.main import COMMANDS, Firstread, main
from firstread.domain.errors import UnknownPack
from tests.images_for_tests import cell_png
from tests.packs_for_tests import make_pack


def _firstread(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstread", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command(option: str) -> None:
    result = CliRunner().invoke(main, [option])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"firstread {firstread.__version__}\n"


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"], ["classify"], ["packs", "x"]])
def test_wrong_use_is_exit_code_2(words: list[str]) -> None:
    assert CliRunner().invoke(main, words).exit_code == 2


def test_an_error_is_one_sentence_with_its_code_and_no_traceback() -> None:
    result = _firstread("classify", "x.png", "--pack", "no-such-pack")
    assert result.returncode == UnknownPack.exit_code
    assert result.stdout == ""
    assert result.stderr.startswith("firstread: There is no pack 'no-such-pack'.")
    assert result.stderr.count("\n") == 1


def test_a_command_without_its_extra_says_which_to_install() -> None:
    @click.command(cls=Firstread)
    def group() -> None: ...

    @click.command("doctor")
    def bare() -> None:
        raise ModuleNotFoundError("No module named 'django.conf'", name="django.conf")

    group.get_command = lambda *_: bare  # type: ignore[method-assign]
    result = CliRunner().invoke(group, ["doctor"])
    assert result.exit_code == 2
    assert result.stderr == (
        "firstread: 'firstread doctor' needs the extra 'server'. "
        "Install it: pip install 'firstread[server]'\n"
    )


def test_a_module_that_no_extra_brings_is_a_fault_and_not_a_missing_extra() -> None:
    @click.command(cls=Firstread)
    def group() -> None: ...

    @click.command("classify")
    def broken() -> None:
        import no_such_module_anywhere  # noqa: F401

    group.get_command = lambda *_: broken  # type: ignore[method-assign]
    result = CliRunner().invoke(group, ["classify"])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_a_place_that_cannot_be_written_is_one_sentence() -> None:
    result = _firstread("phantom", "breast-cytology", "--out", "/dev/null/rows")
    assert result.returncode == 1
    assert result.stderr.startswith("firstread: '/dev/null/rows' cannot be used: Not a directory.")
    assert result.stderr.count("\n") == 1


def test_an_interrupt_ends_with_130() -> None:
    @click.command(cls=Firstread)
    def group() -> None: ...

    @click.command("classify")
    def interrupted() -> None:
        raise KeyboardInterrupt

    group.get_command = lambda *_: interrupted  # type: ignore[method-assign]
    assert CliRunner().invoke(group, ["classify"]).exit_code == 130


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    picture = tmp_path / "cell.png"
    picture.write_bytes(cell_png())
    command = f"{sys.executable} -m firstread classify {f'{picture} ' * 200} --pack {pack} --json"
    result = subprocess.run(
        ["bash", "-c", f"{command} | head -1"], capture_output=True, text=True, check=False
    )
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_classify_starts_without_django_torch_and_all_that_it_does_not_need(tmp_path: Path) -> None:
    pack = make_pack(tmp_path)
    picture = tmp_path / "cell.png"
    picture.write_bytes(cell_png())
    code = (
        f"import sys; sys.argv = ['firstread', 'classify', {str(picture)!r}, '--pack', "
        f"{str(pack)!r}]\n"
        "from firstread.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "onnxruntime" in loaded
    assert not loaded & {"django", "torch", "onnx", "rich", "tomli_w", "httpx", "scipy", "ninja"}


def test_help_loads_no_network_at_all() -> None:
    code = (
        "import sys; sys.argv = ['firstread', '-h']\n"
        "from firstread.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not set(result.stdout.split()) & {"numpy", "onnxruntime", "PIL", "django", "torch"}
