"""The recording process: chunks become facts, one transaction each, and what was refused a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import assert_never

from kuaitui.facts.operations import begin_file_intake, finish_file_intake, take_rows
from kuaitui.facts.queries import refused_rows, unfinished_intake_id
from kuaitui.facts.types import FileIntake, NewShops, ShopKind
from kuaitui.interfaces.cli.imports.errors import ImportRefused
from kuaitui.interfaces.cli.imports.files import digest_of
from kuaitui.interfaces.cli.imports.mapping import ReadingOrder
from kuaitui.interfaces.cli.imports.progress import Display
from kuaitui.interfaces.cli.imports.reading import Chunk, End, Message, start_reading
from kuaitui.interfaces.cli.imports.refused import write_refused
from kuaitui.kernel.clock import read_clock


class Recorder:
    """Imports groups of files one after the other and counts what was refused."""

    def __init__(self, *, create_shops: bool, refused_path: Path) -> None:
        self.rows_refused = 0
        self._create_shops = create_shops
        self._refused_path = refused_path
        self._display = Display()

    def record(self, order: ReadingOrder) -> None:
        """Import one group of files, from where it stopped if it was begun before.

        Raises:
            ImportRefused: the files cannot be read as this mapping, or change while they are read.
            IntakeUnderway: another process imports the same files at this moment.
        """
        name = ", ".join(path.name for path in order.paths)
        source = f"import {order.mapping}"
        digests = {path: digest_of(path) for path in order.paths}
        digest = _digest_of_intake(order, digests)
        changed = unfinished_intake_id(source=source, file_name=name, but_not_digest=digest)
        intake = begin_file_intake(
            source=source, file_name=name, file_digest=digest, now=read_clock()
        )
        if intake.is_finished:
            self._display.say(f"{name}: was imported before; there is nothing to do")
        else:
            if changed and intake.rows_read == 0:
                self._display.say(
                    f"{name}: has changed since import {changed} stopped; reading it from its "
                    "first row. What was taken stays, and taking it again changes nothing"
                )
            intake = self._read_and_take(order, digests, intake)
        self._conclude(name, intake)

    def _read_and_take(
        self, order: ReadingOrder, digests: dict[Path, str], intake: FileIntake
    ) -> FileIntake:
        name = ", ".join(path.name for path in order.paths)
        if intake.rows_read:
            self._display.say(f"{name}: going on after row {intake.rows_read:,}")
        with (
            self._display.task(name, rows_done=intake.rows_read),
            _messages(replace(order, rows_done=intake.rows_read)) as connection,
        ):
            while True:
                message = _receive(connection)
                match message:
                    case Chunk():
                        intake = self._take(order, intake, message)
                        self._display.advance(
                            intake.rows_read, intake.rows_refused, message.part_read
                        )
                    case End():
                        if not message.digests.items() <= digests.items():
                            raise ImportRefused(
                                f"{name}: changed while it was being read; import it again"
                            )
                        return finish_file_intake(intake=intake, now=read_clock())
                    case ImportRefused():
                        raise message
                    case _:
                        assert_never(message)

    def _take(self, order: ReadingOrder, intake: FileIntake, chunk: Chunk) -> FileIntake:
        return take_rows(
            intake=intake,
            file_name=order.paths[0].name,
            staged=chunk.staged,
            reported=chunk.reported,
            refused=chunk.refused,
            rows_read=chunk.rows_read,
            new_shops=(
                NewShops(kind=ShopKind.INDIVIDUAL, zone=order.zone, currency=order.currency)
                if self._create_shops
                else None
            ),
            now=read_clock(),
        )

    def _conclude(self, name: str, intake: FileIntake) -> None:
        self._display.say(
            f"{name}: {intake.rows_recorded:,} rows recorded, {intake.rows_refused:,} refused "
            f"({intake.public_id})"
        )
        if intake.rows_refused:
            self._write_refused(intake)

    def _write_refused(self, intake: FileIntake) -> None:
        is_first = self.rows_refused == 0
        self.rows_refused += intake.rows_refused
        rows = refused_rows(intake_key=intake.key)
        write_refused(self._refused_path, rows, is_first=is_first)
        self._display.say(f"the refused rows, with reasons, are in {self._refused_path}")


def _digest_of_intake(order: ReadingOrder, digests: dict[Path, str]) -> str:
    """The files and what they were asked to mean: both decide whether it is the same intake."""
    parts = [*digests.values(), order.currency, order.zone, order.encoding, order.shop_id]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@contextmanager
def _messages(order: ReadingOrder) -> Iterator[Connection]:
    process, connection = start_reading(order)
    try:
        yield connection
    finally:
        connection.close()
        process.terminate()
        process.join()


def _receive(connection: Connection) -> Message:
    try:
        message: Message = connection.recv()
    except EOFError:
        raise ImportRefused(
            "the reading process ended before the file did; run the same command again to go on"
        ) from None
    return message
