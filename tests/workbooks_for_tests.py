"""Workbooks as a spreadsheet program writes them."""

from __future__ import annotations

from io import BytesIO

from openpyxl import Workbook


def workbook(*rows: list[object]) -> bytes:
    """One sheet with these rows, from the first line on."""
    made, held = Workbook(), BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(held)
    return held.getvalue()
