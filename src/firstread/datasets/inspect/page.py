"""The findings as one page to look at: thumbnails and nothing from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

from firstread.datasets.dataset import Dataset, Item
from firstread.datasets.inspect.check import Findings
from firstread.datasets.kinds import KINDS
from firstread.domain.errors import BadDataset, UnreadableSample
from firstread.imaging import SHOWN_AS

EXAMPLES, SHOWN = 8, 60
"""How many pictures of each label, and how many findings of each kind, the page shows."""

_STYLE = """
:root { color-scheme: light dark; --ink: #17222e; --soft: #5b6875; --line: #d9dfe5;
  --ground: #ffffff; --card: #f5f7f9; --bar: #1668b8; --bad: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #33404c;
  --ground: #11181f; --card: #1a232c; --bar: #63b0f4; --bad: #fb923c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 .75rem; color: var(--soft); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; } td { padding: .2rem .75rem .2rem 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; width: 5rem; }
.bar { display: block; height: .8rem; border-radius: .2rem; background: var(--bar);
  min-width: 2px; }
.sheet { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(152px, 1fr)); }
.sheet.pairs { grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem; } figure.whole { grid-column: 1 / -1; }
figure img { height: 112px; width: 112px; object-fit: contain; border-radius: .25rem; }
figcaption { font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
"""


def page(dataset: Dataset, found: Findings) -> str:
    """The whole page as HTML; pictures that cannot be opened are named without one."""
    by_path = {item.path: item for item in dataset.items}
    kind = KINDS[dataset.kind]
    image = kind.thumbnail is not None
    body = [_head(found), _balance(found)]
    if image:
        body += [_examples(dataset), _sizes(found)]
    body += [
        _section(f"One {kind.one} under two labels", _conflicts(dataset, found, by_path), bad=True),
        _section("Unreadable", _unreadable(found), bad=True),
        _section("Samples without a label", [_figure(dataset, [], e) for e in found.unlabelled]),
        _section(f"Suspected label errors{_how_far(found)}", _suspects(dataset, found, by_path)),
        _section("Near duplicates", _near(dataset, found, by_path), pairs=True) if image else "",
        _section("Exact duplicates", _duplicates(dataset, found, by_path)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(found.name)}: a check of the set</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _head(found: Findings) -> str:
    whose = "no patients named" if found.patients is None else f"{found.patients:,} patients"
    remark = f"<p>{escape(found.remark)}</p>" if found.remark else ""
    given = ", ".join(f"{part} ({n:,})" for part, n in found.parts.items())
    parts = f"<p>Parts that came with it: {escape(given)}.</p>" if given else ""
    groups = (
        f"<p>Groups that stay together: {found.groups:,}, the largest of "
        f"{found.largest_group:,}.</p>"
    )
    head = f"<h1>{escape(found.name)}</h1><p>{found.n:,} samples, {whose}.</p>"
    return head + remark + parts + groups


def _balance(found: Findings) -> str:
    most = max(found.labels.values())
    rows = "".join(
        f'<tr><td>{escape(label)}</td><td class="n">{n:,}</td>'
        f'<td style="width:60%"><span class="bar" style="width:{100 * n / most:.1f}%"></span></td>'
        "</tr>"
        for label, n in found.labels.items()
    )
    return f"<h2>Labels</h2><table>{rows}</table>"


def _sizes(found: Findings) -> str:
    some = list(found.sizes_px.items())[:10]
    more = len(found.sizes_px) - len(some)
    words = ", ".join(f"{size} ({n:,})" for size, n in some)
    return f"<h2>Sizes</h2><p>{escape(words)}{f', and {more} more' if more > 0 else ''}</p>"


def _examples(dataset: Dataset) -> str:
    parts = []
    for label in dataset.labels:
        own = [item for item in dataset.items if item.label == label]
        some = own[:: max(1, len(own) // EXAMPLES)][:EXAMPLES]
        pictures = "".join(_picture(dataset, item) for item in some)
        parts.append(
            f'<p>{escape(label)}</p><div class="sheet"><figure class="whole">'
            f"{pictures}</figure></div>"
        )
    return f"<h2>What they look like</h2>{''.join(parts)}"


def _section(title: str, figures: list[str], *, bad: bool = False, pairs: bool = False) -> str:
    if not figures:
        return f"<h2>{title}</h2><p>None.</p>"
    shown = figures[:SHOWN]
    rest = f", the first {len(shown)} of them here" if len(figures) > len(shown) else ""
    state = ' class="bad"' if bad else ""
    return (
        f"<h2{state}>{title}</h2><p>{len(figures):,}{rest}.</p>"
        f'<div class="sheet{" pairs" * pairs}">{"".join(shown)}</div>'
    )


def _how_far(found: Findings) -> str:
    if found.told_apart is None:
        return ""
    by = escape(found.told_apart_by)
    return f" (by {by}, which name {found.told_apart:.0%} as labelled)"


def _figure(dataset: Dataset, items: Iterable[Item], words: str) -> str:
    pictures = "".join(_picture(dataset, item) for item in items)
    return f"<figure>{pictures}<figcaption>{escape(words)}</figcaption></figure>"


def _picture(dataset: Dataset, item: Item) -> str:
    thumbnail = KINDS[dataset.kind].thumbnail
    if thumbnail is None:
        return ""
    try:
        data = thumbnail(dataset.data(item))
    except (UnreadableSample, BadDataset):
        return ""
    text = base64.b64encode(data).decode()
    words = escape(f"{item.label}: {item.path}", quote=True)
    return f'<img alt="{words}" title="{words}" src="data:{SHOWN_AS};base64,{text}">'


def _conflicts(dataset: Dataset, found: Findings, by_path: dict[str, Item]) -> list[str]:
    return [
        _figure(
            dataset,
            [by_path[path] for path in each.paths[:4]] if at < SHOWN else [],
            f"{' and '.join(each.labels)}: {', '.join(each.paths[:4])}",
        )
        for at, each in enumerate(found.conflicts)
    ]


def _unreadable(found: Findings) -> list[str]:
    return [
        f"<figure><figcaption>{escape(path)}: {escape(why)}</figcaption></figure>"
        for path, why in found.unreadable
    ]


def _suspects(dataset: Dataset, found: Findings, by_path: dict[str, Item]) -> list[str]:
    return [
        _figure(
            dataset,
            [by_path[each.path]] if at < SHOWN else [],
            f"{each.label}, looks like {each.looks_like} ({each.probability:.0%}): {each.path}",
        )
        for at, each in enumerate(found.suspects)
    ]


def _near(dataset: Dataset, found: Findings, by_path: dict[str, Item]) -> list[str]:
    return [
        _figure(
            dataset,
            [by_path[each.first], by_path[each.second]] if at < SHOWN else [],
            f"{each.likeness:.3f}{', turned' if each.turned else ''}: {each.first_label} "
            f"{each.first}, {each.second_label} {each.second}",
        )
        for at, each in enumerate(found.near_duplicates)
    ]


def _duplicates(dataset: Dataset, found: Findings, by_path: dict[str, Item]) -> list[str]:
    return [
        _figure(dataset, [by_path[paths[0]]] if at < SHOWN else [], ", ".join(paths[:6]))
        for at, paths in enumerate(found.duplicates)
    ]
