"""From a bill's ZIP to its rows: limits on everything, and the frame around the table.

A bill is a CSV in GBK that begins with whose and which day's it is, holds one table between two
lines of dashes, and ends with counts and sums. Beside it lies a summary, which is not read.

Source: reference §1.3; bills as Alipay's merchants show them.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from kuaitui.channels.port import StatementRefused

FILES_MAX: Final = 8
FILE_BYTES_MAX: Final = 128 * 1024 * 1024
ROWS_MAX: Final = 1_000_000
# Everything of GBK, and the rarer characters that names are written with.
ENCODING: Final = "gb18030"
_ACCOUNT: Final = re.compile(r"#账号[：:]\s*\[(\d{16,20})\]", re.ASCII)
_DAY: Final = re.compile(
    r"#起始日期[：:]\s*\[(\d{4})年(\d{2})月(\d{2})日 00:00:00\]\s*"
    r"终止日期[：:]\s*\[(\d{4})年(\d{2})月(\d{2})日 00:00:00\]",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table by its columns' names, blanks and tabs around the values removed."""

    line_no: int
    cells: Mapping[str, str] = field(repr=False)

    def cell(self, name: str) -> str:
        """A cell.

        Raises:
            StatementRefused: the bill has no such column.
        """
        try:
            return self.cells[name]
        except KeyError:
            raise StatementRefused(f"no column {name}", line_no=self.line_no) from None


@dataclass(frozen=True, slots=True)
class BillFile:
    """A bill, framed: whose, which day's, its rows, and what stands after them."""

    account: str
    day: dt.date
    rows: tuple[Row, ...] = field(repr=False)
    columns: tuple[str, ...]
    ending: str


def open_bill(content: bytes, *, title: str, table: str) -> BillFile:
    """Find the bill of that title in the ZIP and take it apart.

    Raises:
        StatementRefused: not a whole bill of that title within the limits.
    """
    # Only these end a line: a name may hold what Unicode calls a line's end.
    return _framed(_text_of(content, title).replace("\r\n", "\n").split("\n"), table)


def _text_of(content: bytes, title: str) -> str:
    begins = f"#{title}".encode(ENCODING)
    found = [one for one in _files(content) if one.startswith(begins)]
    if len(found) != 1:
        raise StatementRefused(f"{len(found)} files are a {title}")
    try:
        return found[0].decode(ENCODING)
    except UnicodeDecodeError:
        raise StatementRefused("not in GBK") from None


def _files(content: bytes) -> Iterator[bytes]:
    """The files of the ZIP, none larger and all together not larger than the limit."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = archive.infolist()
            if len(files) > FILES_MAX or sum(one.file_size for one in files) > FILE_BYTES_MAX:
                raise StatementRefused("larger than any bill")
            for one in files:
                with archive.open(one) as opened:
                    # The size that the archive claims is only a claim.
                    unpacked = opened.read(FILE_BYTES_MAX + 1)
                if len(unpacked) > FILE_BYTES_MAX:
                    raise StatementRefused("larger than any bill")
                yield unpacked
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
    ):
        raise StatementRefused("not a sound ZIP") from None


def _framed(lines: list[str], table: str) -> BillFile:
    begins = _find(lines, re.compile(rf"#-+{table}-+,*\s*"), 0)
    ends = _find(lines, re.compile(rf"#-+{table}结束-+,*\s*"), begins)
    head = "\n".join(lines[:begins])
    account, day = _ACCOUNT.search(head), _day_of(head)
    if account is None:
        raise StatementRefused("no account")
    if ends - begins - 2 > ROWS_MAX:
        raise StatementRefused("more rows than any bill")
    columns = tuple(_name(cell) for cell in _cells(lines[begins + 1], begins + 2))
    rows = tuple(_rows(lines[begins + 2 : ends], columns, begins + 3))
    return BillFile(account[1], day, rows, columns, "\n".join(lines[ends + 1 :]))


def _find(lines: list[str], mark: re.Pattern[str], begin: int) -> int:
    """Where the mark stands, which must be exactly once."""
    found = [at for at, line in enumerate(lines) if mark.fullmatch(line)]
    if len(found) != 1 or found[0] < begin:
        raise StatementRefused("not a whole bill")
    return found[0]


def _day_of(head: str) -> dt.date:
    match = _DAY.search(head)
    if match is None:
        raise StatementRefused("not a bill of one day")
    try:
        first, after = (dt.date(*map(int, match.groups()[at : at + 3])) for at in (0, 3))
    except ValueError:
        raise StatementRefused("not a bill of one day") from None
    if after - first != dt.timedelta(days=1):
        raise StatementRefused("not a bill of one day")
    return first


def _rows(lines: list[str], columns: tuple[str, ...], first_no: int) -> Iterator[Row]:
    for line_no, line in enumerate(lines, start=first_no):
        cells = _cells(line, line_no)
        if len(cells) != len(columns):
            raise StatementRefused("not as many cells as columns", line_no=line_no)
        yield Row(line_no, dict(zip(columns, cells, strict=True)))


def _cells(line: str, line_no: int) -> list[str]:
    try:
        (cells,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        raise StatementRefused("not CSV", line_no=line_no) from None
    return [cell.strip(" \t") for cell in cells]


def _name(column: str) -> str:
    """A column's name, however its brackets are written."""
    return column.replace("（", "(").replace("）", ")")
