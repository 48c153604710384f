"""Payments in suspense on their way back, for tests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kuaitui.channels.port import Outcome
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.models import SuspenseRow
from kuaitui.deposits.queries import SuspenseCase, suspense_case, suspense_cases
from kuaitui.deposits.types import Resolution
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations
from kuaitui.payouts.models import SendBack
from kuaitui.payouts.operations import SendBackClaim
from kuaitui.payouts.queries import SendBackView, send_back
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import Pace
from tests.support import given
from tests.support import pay_ins_given as pig

PACE = Pace()
TABLES = (
    *pig.TABLES, "payouts_send_back", "payouts_send_back_attempt", "ledger_journal", "ledger_entry",
)  # fmt: skip


@dataclass
class World:
    """A payment that came twice and that two people ordered back."""

    payer: pig.World
    suspense_id: str
    send_back_id: str
    now: dt.datetime

    @property
    def case(self) -> SuspenseCase:
        return suspense_case(self.suspense_id)

    @property
    def view(self) -> SendBackView:
        return send_back(self.send_back_id)

    @property
    def state(self) -> LegState:
        return self.view.state

    @property
    def book(self) -> tuple[int, int]:
        """What lies at the channel and what is set aside, in minor units."""
        balances = ledger.balances(SuspenseRow.objects.get(public_id=self.suspense_id).book_id)
        return balances.of(Account.AT_CHANNEL).minor, balances.of(Account.FROZEN).minor

    def kinds(self) -> list[str]:
        return [one.kind.value for one in self.view.attempts]

    def wait(self) -> None:
        """Until the next call is due."""
        due = self.view.next_check_at
        if due is not None:
            self.now = max(self.now, due)

    def channel_says(self, outcome: Outcome) -> LegState:
        """The next call is made, when it is due, and gets this answer."""
        self.wait()
        taken = claim(self.send_back_id, now=self.now)
        assert taken is not None, "no call is due"
        record(taken, outcome, now=self.now)
        return self.state


def order_back(suspense_id: str, *, now: dt.datetime) -> None:
    """Two people order a payment back."""
    about = {"suspense_id": suspense_id, "now": now}
    deposits.propose_resolution(
        **about,
        version=suspense_case(suspense_id).version,
        resolution=Resolution.SEND_BACK,
        account_id="",
        reason="Paid twice.",
        actor=given.reviewer(),
    )
    deposits.confirm_resolution(
        **about, version=suspense_case(suspense_id).version, actor=given.approver()
    )


def ordered(now: dt.datetime | None = None) -> World:
    """A payment on its way back, before the first call."""
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference=f"SECOND-OF-{made.order_id}"))
    (case,) = (one for one in suspense_cases() if one.order_id == made.order_id)
    at = now or made.now
    order_back(case.suspense_id, now=at)
    send_back_id = operations.begin_send_back(suspense_id=case.suspense_id, now=at)
    assert send_back_id is not None
    return World(made, case.suspense_id, send_back_id, at)


def claim(
    send_back_id: str | None, *, now: dt.datetime, takes_back: bool = True
) -> SendBackClaim | None:
    assert send_back_id is not None
    return operations.claim_send_back(
        send_back_id=send_back_id, takes_back=takes_back, pace=PACE, now=now
    )


def record(taken: SendBackClaim | None, outcome: Outcome, *, now: dt.datetime) -> LegState | None:
    assert taken is not None
    return operations.record_send_back_outcome(
        claim=taken, outcome=outcome, capabilities=pig.CAPABILITIES, pace=PACE, now=now
    )


def rows() -> list[SendBack]:
    return list(SendBack.objects.order_by("id"))
