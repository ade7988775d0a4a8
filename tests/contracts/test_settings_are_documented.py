"""Every setting stands in docs/configuration.md, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

from firstread.connect.mail.settings import MailSettings
from firstread.server.config import CheckSettings, load_config, sections

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text("utf-8")


def _tables() -> dict[str, set[str]]:
    """The keys that the page's tables list, by section."""
    tables = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0].strip()
        tables[title] = set(re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE))
    return tables


def _sections() -> dict[str, set[str]]:
    kinds = sections() | {"checks.NAME": CheckSettings}
    return {f"[{name}]": set(kind.__struct_fields__) for name, kind in kinds.items()}


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    tables = _tables()
    for section, keys in _sections().items():
        assert tables.get(section) == keys, section


def test_the_example_of_the_page_is_taken(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert example
    (tmp_path / "firstread.toml").write_text(example[1], encoding="utf-8")
    config = load_config({"FIRSTREAD_HOME": str(tmp_path), "FIRSTREAD_SECRET_KEY": "k" * 40})
    assert config.base_url == "https://firstread.example.org"
    assert config.service(MailSettings).tls == "starttls"
