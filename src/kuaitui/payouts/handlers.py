"""What happened elsewhere sets money on its way back."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.events import SuspenseResolved
from kuaitui.deposits.types import Resolution
from kuaitui.kit.outbox import subscribe
from kuaitui.payouts.operations import begin_send_back


@subscribe(SuspenseResolved)
def send_payment_back(event: SuspenseResolved, now: dt.datetime) -> None:
    """Two people have ordered a payment back: it goes, once."""
    if event.resolution == Resolution.SEND_BACK:
        begin_send_back(suspense_id=event.suspense_id, now=now)
