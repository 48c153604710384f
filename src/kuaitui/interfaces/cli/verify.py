"""`kuaitui verify`: do the books add up, and does everything else say the same?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import django
from django.conf import settings

from kuaitui.channels.port import StatementChannel
from kuaitui.channels.registry import build_channels
from kuaitui.interfaces.cli.database import start_database
from kuaitui.kernel.clock import read_clock, read_stopwatch_s

Check = tuple[str, Callable[[], list[str]]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--all", action="store_true", help="read every kept bill again, not a sample"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Derive everything again; 1 when anything differs."""
    start_database()
    django.setup()
    began = read_stopwatch_s()
    counts, differences = _counts(), {name: check() for name, check in _checks(arguments)}
    is_true = not any(differences.values())
    if arguments.json:
        result = {**counts, "differences": differences, "is_true": is_true}
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        _print(counts, differences, read_stopwatch_s() - began)
    return 0 if is_true else 1


def _checks(arguments: argparse.Namespace) -> list[Check]:
    # The tables can be asked only once Django is set up.
    from kuaitui.audit import queries as audit  # noqa: PLC0415
    from kuaitui.deductions import queries as deductions  # noqa: PLC0415
    from kuaitui.deposits import queries as deposits  # noqa: PLC0415
    from kuaitui.ledger import queries as ledger  # noqa: PLC0415
    from kuaitui.payouts import queries as payouts  # noqa: PLC0415
    from kuaitui.reconciliation import queries as reconciliation  # noqa: PLC0415
    from kuaitui.refunds import queries as refunds  # noqa: PLC0415

    def bills() -> list[str]:
        is_whole = arguments.all
        return list(reconciliation.reread(_readers(), is_whole=is_whole).differences)

    return [
        ("balances follow from entries", ledger.differences),
        ("lots and holds follow from balances", deposits.differences),
        ("payments without a place lie in suspense", deposits.suspense_differences),
        ("money set aside belongs to open applications", refunds.differences),
        ("money set aside for deductions belongs to open cases", deductions.differences),
        ("money in transit follows from legs", payouts.differences),
        ("bills read as they were read", bills),
        ("the audit chain is unbroken", audit.differences),
    ]


def _readers() -> Callable[[str], StatementChannel | None]:
    """The adapters of today's settings; none for a channel that is no more."""
    channels = build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)

    def reader(name: str) -> StatementChannel | None:
        if name not in channels.names or not channels.get(name).capabilities.statement_kinds:
            return None
        return channels.stating(name)

    return reader


def _counts() -> dict[str, int]:
    from kuaitui.audit.queries import events_count  # noqa: PLC0415
    from kuaitui.ledger.queries import counts  # noqa: PLC0415

    books, journals, entries = counts()
    return {
        "books": books,
        "journals": journals,
        "entries": entries,
        "audit_events": events_count(),
    }


def _print(counts: dict[str, int], differences: dict[str, list[str]], seconds: float) -> None:
    print(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()))
    for name, found in differences.items():
        print(f"  {'ok  ' if not found else 'FAIL'} {name}")
        for difference in found:
            print(f"       {difference}")
    total = sum(map(len, differences.values()))
    print(f"{'No difference' if not total else f'{total} differences'} in {seconds:.1f} s.")
