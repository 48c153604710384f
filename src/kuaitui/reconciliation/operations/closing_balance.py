"""What a fund bill says lay on the account at the end of its day becomes the channel's balance."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.port import StatementKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.payouts.operations import note_balance
from kuaitui.payouts.types import BalanceSource
from kuaitui.reconciliation.models import BillDay

TELLER: Final = Actor.system("reconciliation.closing_balance")
ONE_DAY: Final = dt.timedelta(days=1)


def note_closing_balance(
    *, channel: str, bill: StatementKind, day: dt.date, zone: dt.tzinfo, now: dt.datetime
) -> None:
    """Note the closing balance of the bill that a day is compared by, if it says one.

    As of the midnight that ends the day in the channel's zone, so that a bill that comes late
    changes nothing where a later balance is known. Repeating moves nothing.
    """
    row = BillDay.objects.select_related("reading").filter(
        channel=channel, bill=bill, day=day, reading__closing_minor__isnull=False
    )
    found = row.first()
    as_of = dt.datetime.combine(day + ONE_DAY, dt.time(), zone)
    if bill is not StatementKind.FUNDS or found is None or as_of > now:
        return
    reading = found.reading
    assert reading is not None
    assert reading.closing_minor is not None
    note_balance(
        channel=channel,
        balance=Money(reading.closing_minor, reading.closing_currency),
        as_of=as_of,
        source=BalanceSource.STATEMENT,
        actor=TELLER,
        now=now,
    )
