"""`kuaitui import`: a marketplace's export becomes facts, at the speed of the disk, or deposits."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from kuaitui.interfaces.cli.database import prepare_database
from kuaitui.interfaces.cli.imports.errors import ImportRefused
from kuaitui.interfaces.cli.imports.files import require_readable
from kuaitui.interfaces.cli.imports.mapping import ReadingOrder
from kuaitui.interfaces.cli.imports.progress import Display
from kuaitui.interfaces.cli.imports.reading import MAPPINGS, mapping_named
from kuaitui.interfaces.cli.imports.refused import write_refused
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import EXPONENTS


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "what",
        choices=["orders", "facts", "deposits"],
        help="what the files hold; the mapping reads orders and facts alike",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--mapping", choices=sorted(MAPPINGS), help="of orders and facts")
    parser.add_argument("--encoding", help="the files' encoding, if it is not UTF-8")
    parser.add_argument("--currency", help="of rows that name none")
    parser.add_argument("--zone", help="time zone of new shops, and of times that name none")
    parser.add_argument("--shop", metavar="ID", help="the shop all rows belong to")
    parser.add_argument(
        "--create-shops",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="register shops that are not known, or refuse their rows",
    )
    parser.add_argument(
        "--refused",
        type=Path,
        metavar="PATH",
        help="where to write refused rows (FILE.refused.csv in this directory if not given)",
    )
    parser.add_argument(
        "--as-of", type=_instant, metavar="TIME", help="refuse rows after this instant, not now"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import; 0 when every row was taken, 1 when some were refused."""
    if arguments.currency is not None and arguments.currency not in EXPONENTS:
        raise ImportRefused(f"the currency {arguments.currency!r} is not supported")
    for path in arguments.files:
        require_readable(path)
    if arguments.what == "deposits":
        return _deposits(arguments)
    if arguments.mapping is None:
        raise ImportRefused(f"--mapping is needed: one of {', '.join(sorted(MAPPINGS))}")
    mapping = mapping_named(arguments.mapping)
    groups = mapping.groups(tuple(arguments.files), encoding=arguments.encoding)
    prepare_database()
    # Imported here: what records needs Django set up, and what reads must not load Django.
    from kuaitui.interfaces.cli.imports.recording import Recorder  # noqa: PLC0415

    recorder = Recorder(
        create_shops=arguments.create_shops,
        refused_path=arguments.refused or Path(f"{arguments.files[0].name}.refused.csv"),
    )
    for group in groups:
        recorder.record(
            ReadingOrder(
                mapping=arguments.mapping,
                paths=group,
                as_of=arguments.as_of or read_clock(),
                currency=arguments.currency or mapping.DEFAULTS.currency,
                zone=arguments.zone or mapping.DEFAULTS.zone,
                encoding=arguments.encoding,
                shop_id=arguments.shop,
                rows_done=0,
            )
        )
    return 1 if recorder.rows_refused else 0


def _deposits(arguments: argparse.Namespace) -> int:
    prepare_database()
    from kuaitui.interfaces.cli.imports.deposits import (  # noqa: PLC0415 - needs Django
        DepositsRead,
        take_deposits,
    )

    display, refused_count = Display(), 0
    refused_path = arguments.refused or Path(f"{arguments.files[0].name}.refused.csv")
    for path in arguments.files:
        with display.task(path.name, rows_done=0):
            read = DepositsRead()
            for _ in take_deposits(path, read, encoding=arguments.encoding):
                part = read.bytes_read / read.size if read.size else 1.0
                display.advance(read.rows, len(read.refused), part)
        display.say(
            f"{path.name}: {read.rows:,} rows, {read.payments_new:,} new payments,"
            f" {len(read.refused):,} refused"
        )
        if read.refused:
            write_refused(refused_path, read.refused, is_first=refused_count == 0)
            display.say(f"the refused rows, with reasons, are in {refused_path}")
        refused_count += len(read.refused)
    return 1 if refused_count else 0


def _instant(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("needs an offset, such as 2026-10-01T12:00:00+08:00")
    return moment
