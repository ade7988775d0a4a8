"""The report as tables and a plot, written between two markers of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.serving.results import (
    LIMIT,
    OURS,
    Kept,
    Outcome,
    contenders,
    cpu_ms,
    middle,
    outcome,
)
from benchmarks.serving.rows import ROWS, Row
from benchmarks.serving.servers import OURS as OUR_SERVER
from benchmarks.serving.servers import PEERS
from benchmarks.serving.sizes import installed_mb

BEGIN, END = "<!-- serving: begin -->", "<!-- serving: end -->"
PLOT = "serving.svg"


def write_report(kept: Kept, page: Path) -> None:
    """Replace what stands between the markers of `page`, and draw the plot beside it."""
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page} has no place for the report: put '{BEGIN}' and '{END}' in it.")
    rows = [row for row in ROWS if kept.blocks(row)]
    if not rows:
        raise SystemExit("Nothing was measured yet. Run this without --report first.")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    drawn = [row for row in rows if len(row.peers) > 1]
    if drawn:
        from benchmarks.serving.plot import draw

        draw([(row, kept.blocks(row)) for row in drawn], page.parent / "pictures" / PLOT)
    lines = "\n".join(_lines(kept, rows, drawn))
    page.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{after}", encoding="utf-8")


def title(contender: str) -> str:
    if contender == LIMIT:
        return "the limit: decode, prepare, run"
    return (OUR_SERVER if contender == OURS else PEERS[contender]).title


def _lines(kept: Kept, rows: Sequence[Row], drawn: Sequence[Row]) -> Iterator[str]:
    yield from _where(kept, rows)
    yield ""
    yield "| work | measured (least and most of the rounds) | goal |"
    yield "|---|---|---|"
    for row in rows:
        for goal in row.goals:
            got = outcome(goal, kept.blocks(row))
            if got is not None:
                yield _goal_line(row, got)
    if drawn:
        yield ""
        yield f"![Reads a second of each server beside the limit](pictures/{PLOT})"
    for row in rows:
        if row.limit or row.peers:
            yield ""
            yield from _contender_lines(row, kept)
    yield ""
    yield from _size_lines(kept, rows)


def _where(kept: Kept, rows: Sequence[Row]) -> Iterator[str]:
    machines = [kept.machine(row) for row in rows]
    dates = sorted({machine["date"] for machine in machines})
    load = max(machine["load"] for machine in machines)
    one = machines[0]
    yield (
        f"Measured on {' and '.join(dates)} on {one['cores']} cores of a shared virtual machine "
        f"({one['processor']}, {one['architecture']}),"
    )
    yield (
        f"Python {one['python']}, onnxruntime {one['onnxruntime']}; load at most {load:g}, the "
        f"benchmark's own included. {_rounds(kept, rows)}"
    )


def _rounds(kept: Kept, rows: Sequence[Row]) -> str:
    pressed = [kept.blocks(row) for row in rows if row.press]
    count = min((len({block["round"] for block in blocks}) for blocks in pressed), default=1)
    return (
        "Each figure is of one round." if count == 1 else f"Each is the median of {count} rounds."
    )


_SAID = {
    "limit": ("{0:.2f} of the limit", "{0:g} of it"),
    "best peer": ("{0:.1f} times the best peer", "{0:g} times"),
    "slowest p50": ("p50 {0:.2f} times the in-process time", "under {0:g} times"),
    "memory": ("{0:.0f} MB in the process tree", "at most {0:g} MB"),
    "start": ("{0:.2f} s", "at most {0:g} s"),
}


def _goal_line(row: Row, got: Outcome) -> str:
    goal = got.goal
    said, wanted = _SAID[goal.of]
    if len(row.peers) == 1:
        said = said.replace("the best peer", "its throughput")
    form = said[said.index("{") : said.index("}") + 1]
    spread = f" ({form.format(got.least)} to {form.format(got.most)})" if got.rounds > 1 else ""
    sign = "" if got.reached else " (not reached)"
    measured = f"{said.format(got.median)}{spread}"
    return f"| {row.title} | {measured} | {wanted.format(goal.value)}{sign} |"


def _contender_lines(row: Row, kept: Kept) -> Iterator[str]:
    blocks = kept.blocks(row)
    cores = kept.machine(row)["cores"]
    limit = middle(blocks, LIMIT, "reads_per_s")
    yield f"{row.title}:"
    yield ""
    yield "| | reads a second | of the limit | p50 | p99 | core time a read | memory |"
    yield "|---|---|---|---|---|---|---|"
    for name in contenders(blocks):
        reads = middle(blocks, name, "reads_per_s")
        p50, p99 = middle(blocks, name, "p50_ms"), middle(blocks, name, "p99_ms")
        share = None if limit is None or reads is None else reads / limit
        cells = [
            title(name),
            _cell(reads, "{:.0f}" if reads and reads >= 100 else "{:.1f}"),
            _cell(share, "{:.2f}"),
            _cell(p50, "{:.1f} ms"),
            _cell(p99, "{:.1f} ms"),
            _cell(cpu_ms(blocks, name, cores=cores), "{:.1f} ms"),
            _cell(middle(blocks, name, "pss_mb"), "{:.0f} MB"),
        ]
        yield f"| {' | '.join(cells)} |"


def _size_lines(kept: Kept, rows: Sequence[Row]) -> Iterator[str]:
    yield "| | start to first answer | memory, PSS | memory, RSS | processes | installed |"
    yield "|---|---|---|---|---|---|"
    named = {name: row for row in reversed(rows) for name in contenders(kept.blocks(row))}
    for server in (OUR_SERVER, *PEERS.values()):
        if server.name not in named:
            continue
        blocks = kept.blocks(named[server.name])
        there = server.environment.is_dir()
        cells = [
            server.title,
            _cell(middle(blocks, server.name, "start_s"), "{:.2f} s"),
            _cell(middle(blocks, server.name, "pss_mb"), "{:.0f} MB"),
            _cell(middle(blocks, server.name, "rss_mb"), "{:.0f} MB"),
            _cell(middle(blocks, server.name, "processes"), "{:.0f}"),
            _cell(installed_mb(server) if there else None, "{:.0f} MB"),
        ]
        yield f"| {' | '.join(cells)} |"


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
