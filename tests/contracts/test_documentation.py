"""What the program offers is documented, and what is documented is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from firstread.cli.main import main
from firstread.domain import errors

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def commands(group: click.Group, prefix: str = "") -> list[str]:
    context = click.Context(group)
    names = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        names.append(f"{prefix}{name}")
        if isinstance(command, click.Group):
            names += commands(command, prefix=f"{prefix}{name} ")
    return names


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_every_command_is_documented():
    assert isinstance(main, click.Group)
    page = (DOCS / "commands.md").read_text()
    missing = [name for name in commands(main) if f"firstread {name}" not in page]
    assert missing == []


def test_every_command_says_what_it_is_for():
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(), name


def test_every_error_stands_in_the_tree_at_the_top_of_its_module():
    tree = errors.__doc__ or ""
    kinds = [
        k for k in vars(errors).values() if isinstance(k, type) and k.__module__ == errors.__name__
    ]
    assert len(kinds) > 5
    assert [kind.__name__ for kind in kinds if kind.__name__ not in tree] == []


def test_every_link_between_pages_leads_somewhere():
    pages = [p for p in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")] if "_build" not in p.parts]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_no_file_names_a_package_host_or_a_path_of_one_machine():
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "registry.npmjs" + ".org",
        "deb.debian" + ".org",
    )
    found = []
    for path in tracked_files():
        if path.suffix in {".png", ".onnx", ".npy", ".webp", ".ico", ".jpg"}:
            continue
        text = path.read_text(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host in text]
        found += [
            f"{path.relative_to(ROOT)}: {m}" for m in re.findall(r"/w" + r"ork/\w+|/root/\w+", text)
        ]
    assert found == []


def test_the_repository_stays_lean():
    sizes = {path: path.stat().st_size for path in tracked_files()}
    assert [str(path) for path, size in sizes.items() if size > 8_000_000] == []
    packs = sum(size for path, size in sizes.items() if (ROOT / "packs") in path.parents)
    assert packs < 60_000_000
