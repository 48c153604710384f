"""Files as they come: their digest, their encoding, their lines, none of them trusted."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kuaitui.interfaces.cli.imports.errors import FileUnusable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 1 << 20
SNIFFED_BYTES = 1 << 16
LINE_CHARACTERS_MAX = 1 << 20

_ENCODING_BY_MARK = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class MeasuredFile(io.RawIOBase):
    """A file that knows how far it was read and what the digest of that part is."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._digest = hashlib.sha256()
        self.size = path.stat().st_size
        self.bytes_read = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on, counting and digesting."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        self._digest.update(view[:count])
        self.bytes_read += count
        return count

    def close(self) -> None:
        """Close the file under this one."""
        self._file.close()
        super().close()

    def digest(self) -> str:
        """The digest of the whole file; reads what is left."""
        while self.read(BLOCK_BYTES):
            pass
        return self._digest.hexdigest()


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, which tells whether it is still the same file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def require_readable(path: Path) -> None:
    """Refuse what cannot be an export at all.

    Raises:
        FileUnusable: it is missing, a directory, empty, unreadable, or a spreadsheet.
    """
    if path.is_dir():
        raise FileUnusable(path, "is a directory; name the files in it")
    if not path.exists():
        raise FileUnusable(path, "does not exist")
    if not path.is_file():
        raise FileUnusable(path, "is not a regular file")
    try:
        with path.open("rb") as handle:
            start = handle.read(4)
    except OSError as problem:
        raise FileUnusable(path, f"cannot be read: {problem.strerror}") from None
    if not start:
        raise FileUnusable(path, "is empty")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileUnusable(path, "is a spreadsheet or a zip file; save it as CSV (UTF-8)")


def encoding_of(path: Path, asked_for: str | None) -> str:
    """The encoding to read a file in: the one asked for, or UTF-8 with or without a mark.

    Raises:
        FileUnusable: the beginning does not read in that encoding; names the line.
    """
    start = _beginning(path)
    marked = next((name for mark, name in _ENCODING_BY_MARK if start.startswith(mark)), None)
    if marked in {"utf-16", "utf-32"} and asked_for is None:
        raise FileUnusable(
            path, f"is in {marked.upper()}; save it as UTF-8 or add --encoding {marked}"
        )
    encoding = asked_for or marked or "utf-8"
    try:
        codecs.getincrementaldecoder(encoding)().decode(start, len(start) < SNIFFED_BYTES)
    except LookupError:
        raise FileUnusable(path, f"cannot be read in {encoding!r}: no such encoding") from None
    except UnicodeDecodeError as problem:
        line = start.count(b"\n", 0, problem.start) + 1
        raise FileUnusable(
            path, f"line {line}: is not {encoding.upper()}{_advice(start, encoding)}"
        ) from None
    return encoding


def is_compressed(path: Path) -> bool:
    """Whether the file is gzip, by its first bytes."""
    with path.open("rb") as handle:
        return handle.read(2) == b"\x1f\x8b"


@contextlib.contextmanager
def opened(path: Path, *, encoding: str) -> Iterator[tuple[MeasuredFile, IO[str]]]:
    """The file as text. Bytes that are not in the encoding become lone surrogates."""
    with MeasuredFile(path) as measured:
        blocks: IO[bytes] = io.BufferedReader(measured, BLOCK_BYTES)
        if is_compressed(path):
            blocks = io.BufferedReader(gzip.GzipFile(fileobj=blocks), BLOCK_BYTES)
        with io.TextIOWrapper(blocks, encoding, errors="surrogateescape", newline="") as text:
            yield measured, text


def lines_of(text: IO[str]) -> Iterator[str]:
    """The lines, each cut at `LINE_CHARACTERS_MAX` so that one line cannot fill the memory."""
    while line := text.readline(LINE_CHARACTERS_MAX):
        yield line


def _beginning(path: Path) -> bytes:
    with path.open("rb") as handle:
        if not is_compressed(path):
            return handle.read(SNIFFED_BYTES)
        try:
            with gzip.GzipFile(fileobj=handle) as unpacked:
                return unpacked.read(SNIFFED_BYTES)
        except (OSError, EOFError):
            raise FileUnusable(path, "is a broken gzip file") from None


def _advice(start: bytes, encoding: str) -> str:
    if encoding.startswith("utf-8"):
        with contextlib.suppress(UnicodeDecodeError):
            codecs.getincrementaldecoder("gb18030")().decode(start)
            return "; it reads as GB18030 (GBK): add --encoding gb18030, or save it as UTF-8"
    return "; save it as UTF-8, or name its encoding with --encoding"
