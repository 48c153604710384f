"""The reading process: a mapping's rows, gathered into chunks and sent to the recording process."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeAlias, cast

from kuaitui.facts.types import RefusedRow, ReportedRow
from kuaitui.interfaces.cli.imports.errors import ImportRefused
from kuaitui.interfaces.cli.imports.mapping import Mapping, ReadingOrder

CHUNK_ROWS = 50_000
MAPPINGS = {
    "kuaishou-orders": "kuaishou_orders",
    "kuaitui-csv": "kuaitui_csv",
    "kuaitui-ndjson": "kuaitui_ndjson",
    "olist": "olist",
}


@dataclass(slots=True)
class _Progress:
    """How far the mapping is; the digests of the files it has read to their end."""

    bytes_read: int = 0
    size: int = 0
    digests: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next rows of a group of files."""

    rows_read: int
    staged: bytes
    reported: tuple[ReportedRow, ...]
    refused: tuple[RefusedRow, ...]
    part_read: float


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to read. `digests` are those of the files as they were read."""

    digests: dict[Path, str]


Message: TypeAlias = Chunk | End | ImportRefused


def mapping_named(name: str) -> Mapping:
    """The mapping of that name."""
    return cast("Mapping", import_module(f"kuaitui.interfaces.cli.imports.{MAPPINGS[name]}"))


def start_reading(order: ReadingOrder) -> tuple[BaseProcess, Connection]:
    """Read in another process; its messages arrive at the connection, the last is not a chunk."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_read, args=(order, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def _read(order: ReadingOrder, sender: Connection) -> None:
    try:
        _send_chunks(order, sender)
    except ImportRefused as refusal:
        sender.send(refusal)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        sender.send(ImportRefused(f"{order.paths[0]}: the gzip file is broken or cut off"))
    except OSError as problem:
        if not isinstance(problem, BrokenPipeError):
            sender.send(ImportRefused(f"{order.paths[0]}: cannot be read: {problem.strerror}"))
    except KeyboardInterrupt:
        pass


def _send_chunks(order: ReadingOrder, sender: Connection) -> None:
    progress = _Progress()
    rows = mapping_named(order.mapping).rows(order, progress)
    rows_read = sum(1 for _ in islice(rows, order.rows_done))
    while part := list(islice(rows, CHUNK_ROWS)):
        rows_read += len(part)
        staged = [row for row in part if type(row) is str]
        sender.send(
            Chunk(
                rows_read,
                "".join(staged).encode(),
                tuple(row for row in part if isinstance(row, ReportedRow)),
                tuple(row for row in part if isinstance(row, RefusedRow)),
                progress.bytes_read / max(progress.size, 1),
            )
        )
    sender.send(End(progress.digests))
