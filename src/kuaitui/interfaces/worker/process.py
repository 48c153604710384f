"""The worker process: its loops, how it is woken, how it ends."""

from __future__ import annotations

import signal
import threading
from functools import partial
from pathlib import Path
from types import FrameType

import structlog
from django.conf import settings
from django.db import connection

from kuaitui.channels.registry import build_channels
from kuaitui.deposits.types import PayInPace
from kuaitui.interfaces.worker.bills import Bills
from kuaitui.interfaces.worker.carriers import Carriers
from kuaitui.interfaces.worker.loops import Loop
from kuaitui.interfaces.worker.mailboxes import fetch_all, mailboxes
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.interfaces.worker.send_backs import Returners
from kuaitui.interfaces.worker.sweeps import sweep
from kuaitui.interfaces.worker.tellers import Tellers, ask_about_strays
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import outbox
from kuaitui.payouts.queries import StoredInbox
from kuaitui.payouts.types import Pace
from kuaitui.policy.calendar import is_working_day

PACES = {"standard": Pace(), "brisk": Pace.brisk()}
PAY_IN_PACES = {"standard": PayInPace(), "brisk": PayInPace.brisk()}
TELLERS = 2
STRAYS_REST_S = 5.0
# Places in the list of loops: the first three look at once when there is news of any kind.
PAY_INS = 2
WOKEN_BY_NEWS = 3
SEND_BACKS = 4
REST_S = 1.0
SWEEP_REST_S = 10.0
BILLS_REST_S = 60.0
MAILBOX_REST_S = {"standard": 60.0, "brisk": 1.0}
LISTEN_S = 5.0
STOP_WITHIN_S = 60.0

log = structlog.get_logger(__name__)


class Worker:
    """Everything one worker process does."""

    def __init__(self, *, threads: int) -> None:
        pace = PACES[settings.KUAITUI_PAYOUT_PACE]
        channels = build_channels(
            settings.KUAITUI_CHANNELS,
            clock=read_clock,
            inbox=StoredInbox(),
            is_business_day=is_working_day,
        )
        self._stopping = threading.Event()
        self._carriers = Carriers(
            channels=channels,
            pace=pace,
            threads=threads,
            when_free=self._look_for_payouts,
            watch=RestoreWatch(Path(settings.KUAITUI_PAYOUT_MARKS)),
        )
        pay_in_pace = PAY_IN_PACES[settings.KUAITUI_PAYOUT_PACE]
        self._tellers = Tellers(
            channels=channels,
            pace=pay_in_pace,
            threads=TELLERS,
            when_free=self._look_for_pay_ins,
        )
        self._returners = Returners(
            channels=channels,
            pace=pace,
            when_free=self._look_for_send_backs,
            watch=RestoreWatch(Path(settings.KUAITUI_PAYOUT_MARKS)),
        )
        self._loops = [
            Loop("payouts", self._carriers.take_turn, rest_s=REST_S, stopping=self._stopping),
            Loop("outbox", _deliver, rest_s=REST_S, stopping=self._stopping),
            Loop("pay_ins", self._tellers.take_turn, rest_s=REST_S, stopping=self._stopping),
            Loop(
                "strays",
                lambda: ask_about_strays(channels, pay_in_pace),
                rest_s=STRAYS_REST_S,
                stopping=self._stopping,
            ),
            Loop("send_backs", self._returners.take_turn, rest_s=REST_S, stopping=self._stopping),
            Loop("sweeps", sweep, rest_s=SWEEP_REST_S, stopping=self._stopping),
            Loop("bills", Bills(channels).take_turn, rest_s=BILLS_REST_S, stopping=self._stopping),
        ]
        if banks := mailboxes(channels):
            rest_s = MAILBOX_REST_S[settings.KUAITUI_PAYOUT_PACE]
            fetch = partial(fetch_all, banks)
            self._loops.append(Loop("mailboxes", fetch, rest_s=rest_s, stopping=self._stopping))
        # A nudge saves the rest of a rest; without it everything still happens within a second.
        self._listener = Loop("listener", self._listen, rest_s=0.0, stopping=self._stopping)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then finish what is under way."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        log.info("worker.started", loops=[loop.name for loop in self._loops])
        for loop in (*self._loops, self._listener):
            loop.start()
        self._stopping.wait()
        for loop in self._loops:
            loop.nudge()
        for loop in self._loops:
            loop.join(STOP_WITHIN_S)
        self._carriers.stop()
        self._tellers.stop()
        self._returners.stop()
        log.info("worker.stopped")

    def _stop(self, _signal_number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _look_for_payouts(self) -> None:
        self._loops[0].nudge()

    def _look_for_pay_ins(self) -> None:
        self._loops[PAY_INS].nudge()

    def _look_for_send_backs(self) -> None:
        self._loops[SEND_BACKS].nudge()

    def _listen(self) -> bool:
        """Wait for news of any kind, and have the loops look at once."""
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {outbox.CHANNEL}")
        raw = connection.connection
        for _ in raw.notifies(timeout=LISTEN_S, stop_after=1):
            for loop in self._loops[:WOKEN_BY_NEWS]:
                loop.nudge()
        return True


def _deliver() -> bool:
    return outbox.deliver_due(now=read_clock()) > 0
