"""One comparison of the benchmark's day, ours or bare, in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import sys

import django
from django.db import connection

from kuaitui.kernel.clock import read_stopwatch_s

LIMIT = 20_001
# What any comparison of two lists of numbers costs at least.
BARE = """
    SELECT count(*) FROM deposits_lot AS lot
    FULL OUTER JOIN reconciliation_line AS line ON line.key = lot.channel_reference
    WHERE lot.amount_minor IS DISTINCT FROM line.amount_minor
"""


def main() -> None:
    """Time one comparison and print the seconds."""
    django.setup()
    from kuaitui.channels.port import StatementKind  # noqa: PLC0415 - after the set-up
    from kuaitui.reconciliation.queries.items import BillOfDay, differing  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT day FROM reconciliation_file")
        which = BillOfDay("paper", StatementKind.FUNDS, cursor.fetchone()[0], 1)
        began = read_stopwatch_s()
        if sys.argv[1] == "ours":
            found = len(differing(which, dt.UTC, limit=LIMIT))
        else:
            cursor.execute(BARE)
            found = cursor.fetchone()[0]
        seconds = read_stopwatch_s() - began
    if not found:
        raise RuntimeError("the benchmark's bill agrees, which it must not")
    print(json.dumps({"seconds": seconds, "found": found}))


if __name__ == "__main__":
    main()
