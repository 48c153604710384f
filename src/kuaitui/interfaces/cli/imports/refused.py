"""The file of refused rows: which, and why; harmless in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from kuaitui.facts.types import RefusedRow
from kuaitui.interfaces.cli.imports.errors import ImportRefused
from kuaitui.interfaces.cli.imports.rows import FORMULA_STARTS

REFUSED_COLUMNS = ("file", "line", "reason", "row")


def write_refused(path: Path, rows: Iterable[RefusedRow], *, is_first: bool) -> None:
    """Write refused rows into a file of their own, or add them to what this run wrote before.

    Raises:
        ImportRefused: it cannot be written there.
    """
    try:
        with path.open("w" if is_first else "a", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            if is_first:
                writer.writerow(REFUSED_COLUMNS)
            for row in rows:
                values = (row.file, row.line, row.reason, row.content)
                writer.writerow([_harmless(value) for value in values])
    except OSError as problem:
        raise ImportRefused(
            f"the refused rows cannot be written to {path}: {problem.strerror}; "
            "name another place with --refused and run this again"
        ) from None


def _harmless(value: str | int) -> str | int:
    """A spreadsheet runs what looks like a formula; a leading apostrophe makes it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
