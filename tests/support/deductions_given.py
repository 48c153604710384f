"""Deduction cases at any stage, made through their operations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

from kuaitui.deductions import operations, queries
from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.types import Reply
from kuaitui.deposits.queries import deposit
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositSummary
from kuaitui.kernel.actor import Actor
from tests.support import given
from tests.support.given import NOW, Shop, yuan

DAY = dt.timedelta(days=1)
ANNOUNCER, DECIDER, THIRD = given.reviewer(), given.approver(), given.approver()
ITEMS = (
    DeductionItem("Sent late", 3, yuan("20"), ("O-1", "O-2", "O-3")),
    DeductionItem("Wrong goods", 1, yuan("40"), ("D-7",)),
)


def announce(shop: Shop, *, now: dt.datetime = NOW, **changes: object) -> str:
    """Announce ¥100 in two items."""
    announcement: dict[str, object] = {
        "account_id": shop.account_id,
        "items": ITEMS,
        "purpose": DeductionPurpose.COMPENSATION,
        "reason": "Orders were sent late, and one buyer got other goods.",
        "clause": "Delivery rule 3.2",
        "reference": "K-1",
        "actor": ANNOUNCER,
        "now": now,
    }
    return operations.announce_deduction(**{**announcement, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Made:
    """A case, its shop, and a moment."""

    shop: Shop
    case_id: str
    now: dt.datetime

    @property
    def case(self) -> CaseView:
        """The case as it is now."""
        return queries.case(self.case_id, now=self.now)

    @property
    def deposit(self) -> DepositSummary:
        """Its deposit as it is now."""
        return deposit(self.shop.account_id)

    @property
    def figures(self) -> tuple[str, ...]:
        """Deducted, frozen, available, owed."""
        found = self.deposit
        sums = (found.deducted, found.frozen, found.available, found.owed)
        return tuple(f"{sum_.to_decimal():,.0f}" for sum_ in sums)

    def later(self, by: dt.timedelta) -> Made:
        """The same, after some time."""
        return replace(self, now=self.now + by)

    def heard(self) -> Made:
        """The same, when the time to reply is over."""
        return replace(self, now=self.case.reply_until)

    def reply(self, reply: Reply = Reply.OBJECTS, text: str = "The courier was late.") -> None:
        """The seller's word."""
        operations.reply_to_deduction(
            case_id=self.case_id,
            shop_key=self.shop.shop_key,
            reply=reply,
            text=text,
            actor=self.shop.seller,
            now=self.now,
        )

    def take(
        self,
        numbers: Collection[int] = (1, 2),
        *,
        actor: Actor = DECIDER,
        version: int | None = None,
        text: str = "The courier's log shows that the parcels were handed over late.",
    ) -> str:
        """Somebody else takes items."""
        return operations.take_items(
            case_id=self.case_id,
            version=version or self.case.version,
            numbers=numbers,
            text=text,
            actor=actor,
            now=self.now,
        )

    def drop(self, *, actor: Actor = DECIDER, text: str = "The parcels were in time.") -> None:
        """Nothing is taken."""
        operations.drop_deduction(
            case_id=self.case_id, version=self.case.version, text=text, actor=actor, now=self.now
        )

    def appeal(self, text: str = "Here is the courier's receipt.") -> None:
        """The seller asks that somebody else look."""
        operations.appeal_deduction(
            case_id=self.case_id,
            shop_key=self.shop.shop_key,
            text=text,
            actor=self.shop.seller,
            now=self.now,
        )

    def answer(
        self,
        numbers: Collection[int] = (),
        *,
        actor: Actor = THIRD,
        text: str = "We looked at the receipt.",
    ) -> None:
        """A third person answers the appeal."""
        operations.answer_appeal(
            case_id=self.case_id,
            version=self.case.version,
            numbers=numbers,
            text=text,
            actor=actor,
            now=self.now,
        )


def announced(deposit_paid: str = "¥500", **changes: object) -> Made:
    """A case that waits for its seller."""
    shop = given.shop(deposit_paid)
    return Made(shop, announce(shop, **changes), NOW)


def taken(deposit_paid: str = "¥500", numbers: Collection[int] = (1, 2)) -> Made:
    """A case of which items were taken after an objection."""
    made = announced(deposit_paid).later(DAY)
    made.reply()
    made.take(numbers)
    return made


def appealed(deposit_paid: str = "¥500", numbers: Collection[int] = (1, 2)) -> Made:
    """A case whose seller has appealed."""
    made = taken(deposit_paid, numbers).later(DAY)
    made.appeal()
    return made
