"""JSON files: a value a line, or one document of bearable size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kuaitui.facts.types import RefusedRow
from kuaitui.interfaces.cli.imports.errors import FileUnusable
from kuaitui.interfaces.cli.imports.files import (
    LINE_CHARACTERS_MAX,
    encoding_of,
    lines_of,
    opened,
)
from kuaitui.interfaces.cli.imports.mapping import Progress
from kuaitui.interfaces.cli.imports.rows import CONTENT_CHARACTERS_MAX

DOCUMENT_CHARACTERS_MAX = 32 << 20


def json_values(
    path: Path, *, encoding: str | None, progress: Progress
) -> Iterator[tuple[int, object] | RefusedRow]:
    """Every value with its line; a file that is one document is one value, of line 1.

    Raises:
        FileUnusable: a document that is not JSON, or too long to be held in memory.
    """
    encoding = encoding_of(path, encoding)
    if _is_one_document(path, encoding):
        yield 1, _document(path, encoding, progress)
        return
    with opened(path, encoding=encoding) as (measured, text):
        progress.size += measured.size
        for line_no, line in enumerate(lines_of(text), start=1):
            progress.bytes_read = measured.bytes_read
            if line.isspace():
                continue
            try:
                yield line_no, json.loads(line)
            except (ValueError, RecursionError):
                reason = "it is not JSON"
                if len(line) >= LINE_CHARACTERS_MAX:
                    reason = f"it is longer than {LINE_CHARACTERS_MAX:,} characters"
                yield RefusedRow(
                    path.name, line_no, reason, line[:CONTENT_CHARACTERS_MAX].rstrip("\r\n")
                )
        progress.digests[path] = measured.digest()


def _is_one_document(path: Path, encoding: str) -> bool:
    """Whether the first line is no value by itself."""
    with opened(path, encoding=encoding) as (_, text):
        first = next(lines_of(text), "")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return first.lstrip()[:1] in {"{", "["} and not first.rstrip().endswith(("}", "]"))
    return False


def _document(path: Path, encoding: str, progress: Progress) -> object:
    with opened(path, encoding=encoding) as (measured, text):
        progress.size += measured.size
        content = text.read(DOCUMENT_CHARACTERS_MAX + 1)
        if len(content) > DOCUMENT_CHARACTERS_MAX:
            raise FileUnusable(
                path,
                "is one JSON document of more than 32 MB; write one order a line (NDJSON)",
            )
        progress.digests[path] = measured.digest()
        progress.bytes_read = measured.bytes_read
    try:
        return json.loads(content)
    except json.JSONDecodeError as problem:
        raise FileUnusable(path, f"line {problem.lineno}: it is not JSON") from None
    except (ValueError, RecursionError):
        raise FileUnusable(path, "it is not JSON that can be read") from None
