"""Who walks the journey: people with passwords, and shops picked from an imported file.

The shops and their orders are whatever the file holds. They get a deposit here, since an order
export says nothing of deposits; which of them can be refunded is for the policy to say.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from kuaitui.accounts.operations import create_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.demo.journey import Person
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.types import DepositKind
from kuaitui.facts.queries import list_shops
from kuaitui.facts.types import ShopRecord
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.policy.types import Assessment, RefundKind
from kuaitui.refunds.queries import assess_deposit

PREPARER = Actor.system("journey")
SHOPS_LOOKED_AT_MAX = 1000
SHOPS_A_PAGE = 50
ROUTE_WINDOW = dt.timedelta(days=365)
SMALL_MINOR = 300_000
LARGE_MINOR = 6_000_000


class NothingToWalk(Refusal):
    """The file has no shop that can be refunded, or none that is blocked by an open order."""

    code = "journey.nothing_to_walk"


@dataclass(frozen=True, slots=True)
class Part:
    """One shop of the journey and its owner."""

    shop: ShopRecord
    account_id: str
    held: Money
    owner: Person
    assessment: Assessment

    @property
    def open_orders(self) -> list[str]:
        """Orders that the assessment names as open."""
        return [
            evidence.id
            for finding in self.assessment.findings
            if finding.code == "trade.order_open" and not finding.passed
            for evidence in finding.evidence
        ]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody in the journey."""

    small: Part
    """Under the limit, back along the original route: approved by rule."""
    large: Part
    """Above the tier: two people decide."""
    blocked: Part
    """Has an open order."""
    reviewer: Person
    approver: Person


def cast_journey(*, now: dt.datetime) -> Cast:
    """Give imported shops deposits, let the policy judge them, and pick three.

    Raises:
        NothingToWalk: the file offers no shop for one of the parts.
    """
    free: list[tuple[ShopRecord, str]] = []
    blocked: tuple[ShopRecord, str] | None = None
    for shop in _shops():
        account_id = _deposit(shop, SMALL_MINOR, "first", now)
        assessment = _assess(account_id, now)
        if assessment.is_eligible:
            free.append((shop, account_id))
        elif blocked is None and _names_an_order(assessment):
            blocked = (shop, account_id)
        if len(free) >= 2 and blocked:
            break
    if len(free) < 2 or blocked is None:
        raise NothingToWalk(eligible=len(free), blocked=int(blocked is not None))
    _deposit(free[1][0], LARGE_MINOR - SMALL_MINOR, "second", now)
    return Cast(
        small=_part(*free[0], SMALL_MINOR, now),
        large=_part(*free[1], LARGE_MINOR, now),
        blocked=_part(*blocked, SMALL_MINOR, now),
        reviewer=_person("reviewer", "Reviewer", Role.REVIEWER, now)[0],
        approver=_person("approver", "Approver", Role.APPROVER, now)[0],
    )


def _shops() -> Iterator[ShopRecord]:
    """Imported shops in the order of their ids, page by page."""
    after = ""
    for _ in range(SHOPS_LOOKED_AT_MAX // SHOPS_A_PAGE):
        page = list_shops(after_shop_id=after, limit=SHOPS_A_PAGE)
        yield from page
        if len(page) < SHOPS_A_PAGE:
            return
        after = page[-1].id


def _deposit(shop: ShopRecord, minor: int, name: str, now: dt.datetime) -> str:
    paid_at = now - dt.timedelta(days=100)
    account_id = deposits.open_deposit_account(
        shop_key=shop.key,
        kind=DepositKind.SHOP,
        required=Money(50_000, shop.currency),
        actor=PREPARER,
        now=paid_at,
    )
    deposits.record_pay_in(
        account_id=account_id,
        amount=Money(minor, shop.currency),
        channel="simulator",
        channel_reference=f"journey-{name}-{shop.id}",
        paid_at=paid_at,
        refundable_until=paid_at + ROUTE_WINDOW,
        actor=PREPARER,
        now=now,
    )
    return account_id


def _assess(account_id: str, now: dt.datetime) -> Assessment:
    return assess_deposit(account_id=account_id, kind=RefundKind.FULL_EXIT, now=now)


def _names_an_order(assessment: Assessment) -> bool:
    return any(
        finding.code == "trade.order_open" and not finding.passed for finding in assessment.findings
    )


def _part(shop: ShopRecord, account_id: str, minor: int, now: dt.datetime) -> Part:
    owner, user_id = _person(f"owner-{account_id[-8:]}", f"Owner {shop.id[:20]}", Role.SELLER, now)
    grant_shop(user_id=user_id, shop_key=shop.key, actor=PREPARER, now=now)
    return Part(shop, account_id, Money(minor, shop.currency), owner, _assess(account_id, now))


def _person(username: str, name: str, role: Role, now: dt.datetime) -> tuple[Person, str]:
    password = secrets.token_urlsafe(12)
    user_id = create_user(
        username=username, display_name=name, role=role, password=password, actor=PREPARER, now=now
    )
    return Person(username, password), user_id
