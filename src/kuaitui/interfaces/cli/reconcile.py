"""`kuaitui reconcile`: fetch or import a day's bills, compare them, and say in one line what is proven."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import django
from django.conf import settings

from kuaitui.channels.port import StatementKind
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.interfaces.cli import read_again
from kuaitui.interfaces.cli.database import start_database
from kuaitui.interfaces.cli.read_again import EVERY_FILE
from kuaitui.interfaces.cli.what_waits import WAITS
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.reconciliation.types import DayState, ReadingState, Source

if TYPE_CHECKING:
    from kuaitui.reconciliation.operations import Plan
    from kuaitui.reconciliation.queries import DayReport, Flow
    from kuaitui.reconciliation.queries.board import Needed

IMPORTER: Final = Actor.system("cli.reconcile")
EXIT_CODES: Final = {DayState.PROVEN: 0, DayState.NOT_HERE: 3}
WORDS: Final = {
    DayState.PROVEN: "proven",
    DayState.OPEN_BREAKS: "open differences",
    DayState.TO_LOOK_AT: "another file waits for a person",
    DayState.REFUSED: "bill refused",
    DayState.NOT_HERE: "bill not there yet",
}


class FileReadOnce(Refusal):
    """A file is either imported or read again."""

    code = "reconcile.file_read_once"


class FileNeedsItsKind(Refusal):
    """A file is imported with --channel and --kind."""

    code = "reconcile.file_needs_its_kind"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--channel", help="one channel; all that give bills, if none is named")
    parser.add_argument("--day", type=dt.date.fromisoformat, help="YYYY-MM-DD; yesterday, if none")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--file", type=Path, help="import this bill instead of fetching")
    way.add_argument(
        "--report",
        action="store_true",
        help="say what is known and what waits for people; fetch, compare and write nothing",
    )
    parser.add_argument("--kind", type=StatementKind, choices=list(StatementKind))
    parser.add_argument(
        "--read-again",
        nargs="?",
        const=EVERY_FILE,
        metavar="FILE_ID",
        help="read kept bills again with the parser of today: one, or all of --channel and --day",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Bring, compare, report; or only report. 0: proven; 3: not there yet; 1: people must look."""
    if arguments.file and not (arguments.channel and arguments.kind):
        raise FileNeedsItsKind
    if arguments.file and arguments.read_again:
        raise FileReadOnce
    start_database()
    django.setup()
    from kuaitui.reconciliation.queries import bills_given  # noqa: PLC0415 - after the set-up

    channels = build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
    if arguments.channel:
        channels.stating(arguments.channel)
    if arguments.read_again:
        return read_again.run(arguments, channels)
    given = bills_given(channels)
    chosen = [arguments.channel] if arguments.channel else list(given)
    if arguments.report:
        return _report({name: given[name] for name in chosen}, arguments)
    found = [_reconcile(name, channels, given[name], arguments) for name in chosen]
    if arguments.json:
        print(json.dumps([_document(*one) for one in found], ensure_ascii=False, indent=2))
    else:
        for report, problems in found:
            print(one_line(report))
            for problem in problems:
                print(f"  {problem}")
    return _exit_code([report for report, _ in found])


def _report(needed: Needed, arguments: argparse.Namespace) -> int:
    """The day of each channel in one line, and what waits of all days. Changes nothing."""
    from kuaitui.reconciliation import queries  # noqa: PLC0415 - after the set-up

    day = arguments.day or _today() - dt.timedelta(days=1)
    reports = [
        queries.day_report(channel=name, day=day, needed=kinds) for name, kinds in needed.items()
    ]
    waits = queries.bills_overview()
    if arguments.json:
        document = {
            "days": [_document(report, []) for report in reports],
            "waits": {name: getattr(waits, f"{name}_count") for name in WAITS},
        }
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        print("\n".join(map(one_line, reports)))
        for name, words in WAITS.items():
            if count := getattr(waits, f"{name}_count"):
                print(f"  {words}: {count:,}")
    return 1 if waits.needs_people else _exit_code(reports)


def _today() -> dt.date:
    from kuaitui.reconciliation.operations import Plan  # noqa: PLC0415 - after the set-up

    return read_clock().astimezone(Plan.parse(settings.KUAITUI_BILLS).zone).date()


def _exit_code(reports: Sequence[DayReport]) -> int:
    return max((EXIT_CODES.get(report.state, 1) for report in reports), key=_urgency, default=0)


def one_line(report: DayReport) -> str:
    """What can be said of a day, in one line."""
    state = WORDS[report.state]
    if report.state is DayState.OPEN_BREAKS:
        sums = ", ".join(map(_written, report.breaks))
        return f"{report.day} {report.channel}: {state} {report.breaks_count:,}, {sums}"
    if report.state is not DayState.PROVEN:
        return f"{report.day} {report.channel}: {state}"
    moved = map(_moved, report.flows)
    parts = [f"{report.lines_count:,} lines", *moved, "0 differences"]
    return f"{report.day} {report.channel}: {state}, {', '.join(parts)}"


def _urgency(code: int) -> int:
    return (0, 3, 1).index(code)


def _reconcile(
    name: str,
    channels: Channels,
    kinds: frozenset[StatementKind],
    arguments: argparse.Namespace,
) -> tuple[DayReport, list[str]]:
    from kuaitui.reconciliation import operations, queries  # noqa: PLC0415 - after the set-up

    plan, now = operations.Plan.parse(settings.KUAITUI_BILLS), read_clock()
    today = now.astimezone(plan.zone).date()
    day = arguments.day or today - dt.timedelta(days=1)
    problems = []
    for kind in sorted(kinds if arguments.kind is None else [arguments.kind]):
        problem = _bring(name, channels, kind, day, arguments.file, plan, now)
        problems += [f"{kind}: {problem}"] if problem else []
        operations.compare_bill(
            channel=name, bill=kind, day=day, zone=plan.zone, today=today, now=now
        )
    operations.stop_for_breaks(now=now)
    report = queries.day_report(channel=name, day=day, needed=kinds)
    for found in queries.breaks_of_day(channel=name, day=day):
        if found.closed_at is None:
            sides = f"ours {_written(found.ours)}, theirs {_written(found.theirs)}"
            problems.append(f"{found.break_id} {found.kind} {found.event} {found.key}: {sides}")
    return report, problems


def _bring(
    name: str,
    channels: Channels,
    kind: StatementKind,
    day: dt.date,
    file: Path | None,
    plan: Plan,
    now: dt.datetime,
) -> str:
    """Fetch or import one bill; the problem in words, or nothing."""
    from kuaitui.reconciliation import operations  # noqa: PLC0415 - after the set-up

    if file is None:
        fetched = operations.fetch_bill(
            channel=name, channels=channels, bill=kind, day=day, plan=plan, now=now
        )
        if fetched.brought is None:
            return fetched.problem
        brought = fetched.brought
    else:
        brought = operations.bring_file(
            channel=name,
            reader=channels.stating(name),
            bill=kind,
            day=day,
            content=file.read_bytes(),
            file_name=file.name,
            source=Source.IMPORTED,
            actor=IMPORTER,
            now=now,
        )
    if brought.state is ReadingState.REFUSED:
        where = f"line {brought.line_no}: " if brought.line_no else ""
        return f"refused: {where}{brought.reason}"
    return "" if brought.is_taken else "kept; another file of this day is the one compared"


def _moved(flow: Flow) -> str:
    said = f"{_written(flow.came_in)} in, {_written(flow.went_out)} out"
    return said if flow.fees.is_zero else f"{said}, {_written(flow.fees)} fees"


def _written(amount: Money) -> str:
    if amount.currency == "CNY":
        return f"¥{amount.to_decimal():,f}"
    return str(amount)


def _document(report: DayReport, problems: list[str]) -> dict[str, object]:
    def minor(amount: Money) -> dict[str, object]:
        return dataclasses.asdict(amount)

    return {
        "channel": report.channel,
        "day": report.day.isoformat(),
        "state": report.state.value,
        "lines": report.lines_count,
        "moved": [
            {"in": minor(flow.came_in), "out": minor(flow.went_out), "fees": minor(flow.fees)}
            for flow in report.flows
        ],
        "open_breaks": report.breaks_count,
        "difference": [minor(amount) for amount in report.breaks],
        "problems": problems,
        "line": one_line(report),
    }
