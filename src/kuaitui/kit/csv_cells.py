"""Cells of CSV files that people open in a spreadsheet."""

from __future__ import annotations

from typing import Final

# A sheet runs what begins like this as a formula, also behind a tab or a line break.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral_cell(text: str) -> str:
    """A text cell that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
