"""A marketplace for tests, told in the words of the story: `given.shop(deposit="¥10,000")`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from django.db import connection

from kuaitui.deposits import operations as deposits
from kuaitui.deposits.types import DepositKind, Destination
from kuaitui.facts.operations import record_reports, register_shop
from kuaitui.facts.types import OrderReport, OrderStatus, ShopKind
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.money import Money

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CHANNEL = "simulator"
OWNER = "王小明"
BANK = "招商银行"
CARD = "6222 0202 0000 1234 562"

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with one deposit."""

    shop_key: int
    shop_id: str
    account_id: str
    seller: Actor


def yuan(text: str) -> Money:
    """Money as a person writes it."""
    return Money.parse(text, "CNY")


def seller() -> Actor:
    """A seller nobody else in the test is."""
    return Actor(ActorKind.SELLER, f"usr_seller{next(_numbers)}")


def reviewer() -> Actor:
    """A member of staff nobody else in the test is."""
    return Actor(ActorKind.STAFF, f"usr_reviewer{next(_numbers)}")


def approver() -> Actor:
    """Another member of staff."""
    return Actor(ActorKind.STAFF, f"usr_approver{next(_numbers)}")


def clerk() -> Actor:
    """The system, setting things up."""
    return Actor.system("given")


def shop(
    deposit: str | tuple[str, ...] = "¥10,000",
    *,
    required: str = "¥500",
    route_open: bool = True,
    open_orders: int = 0,
    paid_days_ago: int = 200,
    now: dt.datetime = NOW,
) -> Shop:
    """A shop in good standing whose last order was completed long ago, with a deposit paid in.

    Several amounts make several payments, a day apart. Without `route_open` the way back along the
    original payment has closed.
    """
    shop_id = f"given-{next(_numbers)}"
    record = register_shop(
        shop_id=shop_id,
        name=f"Shop {shop_id}",
        kind=ShopKind.INDIVIDUAL,
        currency="CNY",
        zone="Asia/Shanghai",
        opened_at=now - 900 * DAY,
        now=now,
    )
    last = order(shop_id, "O-last", OrderStatus.COMPLETED, now - 150 * DAY)
    still_open = [
        order(shop_id, f"O-open-{number}", OrderStatus.SHIPPED, now - 3 * DAY)
        for number in range(1, open_orders + 1)
    ]
    record_reports([last, *still_open], source="given", now=now)
    account_id = deposits.open_deposit_account(
        shop_key=record.key, kind=DepositKind.SHOP, required=yuan(required), actor=clerk(), now=now
    )
    amounts = (deposit,) if isinstance(deposit, str) else deposit
    for number, amount in enumerate(amounts):
        pay_in(
            account_id, amount, paid_at=now - (paid_days_ago - number) * DAY, route_open=route_open
        )
    return Shop(record.key, shop_id, account_id, seller())


def pay_in(
    account_id: str,
    amount: str,
    *,
    reference: str = "",
    paid_at: dt.datetime = NOW - 200 * DAY,
    route_open: bool = True,
    now: dt.datetime = NOW,
) -> str:
    """A payment into a deposit; returns the lot."""
    window = 365 * DAY if route_open else 30 * DAY
    return deposits.record_pay_in(
        account_id=account_id,
        amount=yuan(amount),
        channel=CHANNEL,
        channel_reference=reference or f"given-payment-{next(_numbers)}",
        paid_at=paid_at,
        refundable_until=paid_at + window,
        actor=clerk(),
        now=now,
    ).lot_id


def destination(
    of: Shop, *, number: str = CARD, is_verified: bool = True, now: dt.datetime = NOW
) -> Destination:
    """A payee account of the shop's owner."""
    added = deposits.add_destination(
        shop_key=of.shop_key,
        holder_name=OWNER,
        bank_name=BANK,
        account_number=number,
        actor=of.seller,
        now=now,
    )
    if is_verified:
        deposits.verify_destination(destination_id=added.destination_id, actor=reviewer(), now=now)
    return added


def order(shop_id: str, order_id: str, status: OrderStatus, at: dt.datetime) -> OrderReport:
    return OrderReport(
        shop_id=shop_id, order_id=order_id, status=status, status_at=at, amount=yuan("99")
    )


# Tables that hold money, its reasons, its news and its trail: a refusal changes none of them.
_TABLES_THAT_MOVE = (
    "ledger_book", "ledger_journal", "kit_outbox", "audit_event",
    "deposits_account", "deposits_lot", "deposits_hold", "deposits_lot_share", "deposits_lot_taking",
    "deposits_lot_giving", "deposits_deduction", "deposits_deduction_return", "deposits_destination",
)  # fmt: skip


@contextmanager
def nothing_moves(*more_tables: str) -> Iterator[None]:
    """Assert that what happens inside leaves balances, journals, news and trail as they were."""
    with _nothing_moves_in((*_TABLES_THAT_MOVE, *more_tables)):
        yield


@contextmanager
def nothing_moves_but_audit(*more_tables: str) -> Iterator[None]:
    """The same, but the trail may tell what was refused."""
    with _nothing_moves_in({*_TABLES_THAT_MOVE, *more_tables} - {"audit_event"}):
        yield


@contextmanager
def nothing_moves_but_news(*more_tables: str) -> Iterator[None]:
    """The same, but people are told of what was refused, and the trail tells it too."""
    with _nothing_moves_in({*_TABLES_THAT_MOVE, *more_tables} - {"audit_event", "kit_outbox"}):
        yield


@contextmanager
def _nothing_moves_in(tables: Collection[str]) -> Iterator[None]:
    before = {table: _content(table) for table in tables}
    yield
    for table in tables:
        assert _content(table) == before[table], f"{table} moved"


def _content(table: str) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), md5(COALESCE(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} AS t"
        )
        count_, digest = cursor.fetchone()
    return count_, digest
