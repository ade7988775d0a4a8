"""A manifest becomes the text of a `pack.toml`, in the order of its fields."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from firstread.packs.manifest import About, Label, Manifest
from firstread.packs.opening import parse_manifest
from firstread.toml import Table

_NUMBERS = re.compile(r"\[\n((?:    -?[0-9.e+-]+,\n)+)\]")


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write `manifest` to the file `path`, or to `pack.toml` where `path` is a folder.

    Raises PackRefused where the manifest contradicts itself, so that no such file comes to be.
    """
    target = Path(path)
    if target.is_dir():
        target = target / "pack.toml"
    text = manifest_to_toml(manifest)
    parse_manifest(text)
    target.write_text(text, encoding="utf-8")


def manifest_to_toml(manifest: Manifest) -> str:
    """The text of the `pack.toml` that says what `manifest` says."""
    import tomli_w  # of the extra [train]: only who makes packs writes them

    parts = []
    for key, value in _plain(manifest).items():
        # tomli_w moves short arrays of tables up to the top of the file: a person reads in order.
        if isinstance(value, list):
            parts += [f"[[{key}]]\n{tomli_w.dumps(each)}" for each in value]
        else:
            parts.append(tomli_w.dumps({key: value}))
    return _NUMBERS.sub(_in_few_lines, "\n".join(parts))


def _in_few_lines(match: re.Match[str]) -> str:
    numbers = " ".join(match[1].split())
    lines = textwrap.wrap(
        numbers, width=96, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )
    return "[\n" + "\n".join(lines) + "\n]"


def _plain(value: Any) -> Any:
    if isinstance(value, Table):
        plain = {
            each.encode_name: _plain(getattr(value, each.name))
            for each in fields(value)
            # A thousand labels that say nothing special should not fill five thousand lines.
            if not (isinstance(value, Label | About) and getattr(value, each.name) == each.default)
        }
        return {key: each for key, each in plain.items() if each is not None and each != []}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Real) and not isinstance(value, int):
        return float(value)  # numpy's float32 is no float to TOML
    return value
