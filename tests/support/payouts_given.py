"""Payouts for tests: a payout that waits, and a channel that answers what the test says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from django.db import transaction

from kuaitui.channels.port import (
    Acknowledgement,
    Channel,
    ChannelCapabilities,
    NeededAction,
    NeedsAction,
    Notification,
    NotificationSubject,
    Outcome,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    Returned,
    Route,
    Succeeded,
)
from kuaitui.channels.registry import adapter_added
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.queries import deposit, plan_route
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.operations import Claim
from kuaitui.payouts.queries import LegProgress
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, LimitScope, Pace
from tests.support import given
from tests.support.given import NOW, yuan

SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)
FLOOR = 10 * MINUTE
APPROVAL = "a hash of what two people approved"
APPLICATION = "rfa_given"
CAPABILITIES = ChannelCapabilities(
    routes=frozenset(Route),
    not_found_floor=FLOOR,
    resend_window=30 * given.DAY,
    return_window=30 * given.DAY,
)
PACE = Pace()
_adapters = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """A shop with one payout."""

    shop: given.Shop
    application_id: str
    payout_id: str
    book_id: int

    @property
    def legs(self) -> tuple[LegProgress, ...]:
        return queries.payout_of_application(self.application_id).legs

    @property
    def leg_id(self) -> str:
        """The newest leg."""
        return self.legs[-1].leg_id

    @property
    def state(self) -> LegState:
        return self.legs[-1].state

    def held(self) -> dict[Account, str]:
        """What the book holds, in yuan, leaving out what is empty."""
        balances = ledger.balances(self.book_id)
        return {
            account: f"{balances.of(account).to_decimal():,.0f}"
            for account in Account
            if not balances.of(account).is_zero
        }

    def kinds(self) -> list[AttemptKind]:
        return [attempt.kind for attempt in queries.attempts(self.leg_id)]


def payout(
    amount: str = "¥10,000",
    *,
    deposit_: str | tuple[str, ...] = "¥10,000",
    application_id: str = APPLICATION,
    route_open: bool = True,
    card: str = given.CARD,
    approved_by: Sequence[str] = (),
    now: dt.datetime = NOW,
) -> World:
    """A payout whose legs wait to be sent."""
    shop = given.shop(deposit_, route_open=route_open, now=now)
    destination = "" if route_open else given.destination(shop, number=card, now=now).destination_id
    return payout_of(
        shop,
        amount,
        application_id=application_id,
        destination_id=destination,
        approved_by=approved_by,
        now=now,
    )


def payout_of(
    shop: given.Shop,
    amount: str = "¥10,000",
    *,
    application_id: str = APPLICATION,
    destination_id: str = "",
    approved_by: Sequence[str] = (),
    from_lot: int = 0,
    now: dt.datetime = NOW,
) -> World:
    """A payout of a shop that there is already, out of its lots from that one on."""
    with transaction.atomic():
        deposits.freeze_deposit(
            account_id=shop.account_id, amount=yuan(amount), reference=application_id, now=now
        )
        plan = plan_route(
            deposit(shop.account_id).lots[from_lot:],
            amount=yuan(amount),
            destination_id=destination_id,
            parts={},
            now=now,
        )
        payout_id = operations.begin_payout(
            application_id=application_id,
            account_id=shop.account_id,
            plan=plan,
            approval_hash=APPROVAL,
            approved_by=approved_by,
            now=now,
        )
    return World(shop, application_id, payout_id, deposit(shop.account_id).book_id)


def stop(channel: str = given.CHANNEL, *, now: dt.datetime = NOW) -> None:
    """Turn the kill switch."""
    operations.stop_sending(channel=channel, reason="a drill", actor=given.reviewer(), now=now)


def resume(channel: str = given.CHANNEL, *, now: dt.datetime = NOW) -> None:
    """Two people release it."""
    operations.propose_resume(
        channel=channel, reason="The drill is over.", actor=given.reviewer(), now=now
    )
    operations.confirm_resume(channel=channel, actor=given.approver(), now=now)


def limit(
    scope: LimitScope, amount: str, *, channel: str = given.CHANNEL, now: dt.datetime = NOW
) -> None:
    """Two people set a limit, or lift it."""
    money = yuan(amount) if amount else None
    number = operations.propose_limit(
        scope=scope, channel=channel, currency="CNY", amount=money, actor=given.reviewer(), now=now
    )
    operations.confirm_limit(limit_id=number, amount=money, actor=given.approver(), now=now)


def succeeded(at: dt.datetime = NOW) -> Succeeded:
    return Succeeded("SIM0001", at)


def returned(at: dt.datetime = NOW) -> Returned:
    return Returned("SIM0001", "ACCOUNT_CLOSED", at)


def claim(world: World, *, now: dt.datetime = NOW, leg_id: str = "") -> Claim:
    """Take the leg; it must be its turn."""
    taken = operations.claim_leg(leg_id=leg_id or world.leg_id, pace=PACE, now=now)
    assert taken is not None
    return taken


def record(taken: Claim, outcome: Outcome, *, now: dt.datetime = NOW) -> LegState | None:
    return operations.record_outcome(
        claim=taken, outcome=outcome, capabilities=CAPABILITIES, pace=PACE, now=now
    )


def attempt(world: World, outcome: Outcome, *, now: dt.datetime = NOW) -> LegState | None:
    """One whole attempt with that answer."""
    return record(claim(world, now=now), outcome, now=now)


def next_check_at(world: World) -> dt.datetime:
    moment = queries.leg(world.leg_id).next_check_at
    assert moment is not None
    return moment


@dataclass
class ScriptedChannel:
    """A channel that answers what the test says, and remembers what it was asked."""

    answer: Callable[[AttemptKind, PayoutInstruction], Outcome]
    name: str = given.CHANNEL
    capabilities: ChannelCapabilities = CAPABILITIES
    calls: list[tuple[AttemptKind, PayoutInstruction]] = field(default_factory=list)
    handed_over: list[tuple[str, PayeeAccount]] = field(default_factory=list)

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> Outcome:
        return self._answer(AttemptKind.SEND, instruction)

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> Outcome:
        return self._answer(AttemptKind.QUERY, instruction)

    def hand_over(
        self,
        instruction: PayoutInstruction,
        *,
        reference: str,
        payee: PayeeAccount,
        deadline_s: float,
    ) -> Outcome:
        self.handed_over.append((reference, payee))
        return self._answer(AttemptKind.HAND_OVER, instruction)

    def cancel(self, instruction: PayoutInstruction, *, deadline_s: float) -> Outcome:
        return self._answer(AttemptKind.CANCEL, instruction)

    acknowledgement: Acknowledgement = field(default_factory=Acknowledgement)

    def read_notification(
        self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
    ) -> Notification:
        return Notification(body.decode(), NotificationSubject.PAYOUT, body.decode())

    def _answer(self, kind: AttemptKind, instruction: PayoutInstruction) -> Outcome:
        self.calls.append((kind, instruction))
        return self.answer(kind, instruction)


def to_confirm(hand_over: str = "package") -> NeedsAction:
    """The payee must confirm."""
    return NeedsAction(NeededAction.USER_CONFIRM, "SIM0001", hand_over)


CONFIRMING = replace(
    CAPABILITIES,
    confirm_within=given.DAY,
    confirm_page="https://app.invalid/confirm/",
    payee_kinds=frozenset(PayeeKind),
    can_cancel=True,
    hands_over_abnormal=True,
)


@contextmanager
def confirming_channel(
    settings: Any, capabilities: ChannelCapabilities = CONFIRMING
) -> Iterator[None]:
    """The test's channel lets payees confirm, on a page or in an app."""

    def build(name: str, document: object, *, clock: object) -> Channel:
        return ScriptedChannel(lambda *_: Succeeded("SIM0001", NOW), name, capabilities)

    # What channels can do is read once for the same settings.
    adapter = f"scripted{next(_adapters)}"
    before = settings.KUAITUI_CHANNELS
    settings.KUAITUI_CHANNELS = {given.CHANNEL: {"adapter": adapter}}
    with adapter_added(adapter, build):
        yield
    settings.KUAITUI_CHANNELS = before
