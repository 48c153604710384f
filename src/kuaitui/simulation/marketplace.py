"""What the marketplace and the payers do: open shops, report facts, pay in, deduct, ask for more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Final

from kuaitui.deposits import operations as deposits
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositKind
from kuaitui.facts.operations import record_reports, register_shop
from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    DebtKind,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    OrderReport,
    OrderStatus,
    Report,
    RestrictionKind,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
    ViolationReport,
    ViolationStatus,
)
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.money import Money
from kuaitui.simulation.channel_book import PaymentIn
from kuaitui.simulation.channels import DAY, ModelChannel
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.shops import SimulatedShop, Spell
from kuaitui.simulation.world import MARKETPLACE, World

ZONE: Final = "Asia/Shanghai"
# One shop in four keeps its deposit in another currency, one of them without minor units.
CURRENCIES: Final = ("CNY", "CNY", "USD", "CNY", "CNY", "CNY", "JPY", "CNY")
AMOUNTS: Final = (100, 30_000, 99_999, 200_001, 480_000, 1_200_000, 5_000_000, 7_654_321)


def open_shop(world: World, number: int, chance: Random) -> None:
    """A shop opens its deposit and pays for the first time."""
    channel = chance.choice(sorted(world.model_channels))
    currency = CURRENCIES[number % len(CURRENCIES)]
    shop_id, now = f"sim{number}", world.now
    registered = world.attempt(
        chance,
        lambda: register_shop(
            shop_id=shop_id,
            name=f"Shop {number}",
            kind=ShopKind.ENTERPRISE,
            currency=currency,
            zone=ZONE,
            opened_at=now - 10 * DAY,
            now=now,
        ),
    )
    if registered is None:
        return
    required = Money(chance.choice([0, 50_000, 200_000]), currency)
    account_id = world.attempt(
        chance,
        lambda: deposits.open_deposit_account(
            shop_key=registered.key,
            kind=DepositKind.SHOP,
            required=required,
            actor=MARKETPLACE,
            now=world.now,
        ),
    )
    if account_id is None:
        return
    shop = SimulatedShop(
        number=number,
        shop_id=shop_id,
        shop_key=registered.key,
        currency=currency,
        channel=channel,
        seller=Actor(ActorKind.SELLER, f"usr_seller_{number}"),
        account_id=account_id,
    )
    world.shops[number] = shop
    pay_in(world, shop, chance)


def pay_in(world: World, shop: SimulatedShop, chance: Random) -> None:
    """The owner pays; the channel confirms it once, twice, or days later."""
    channel = world.model_channels[shop.channel]
    if chance.random() < 0.2:
        shop.channel = chance.choice(sorted(world.model_channels))
    payment = _collect(world, channel, shop, chance)
    if world.weather.strikes(Fault.TOLD_LATE, world.clock.at, chance):
        world.clock.pass_by(chance.uniform(0, 2) * DAY)
    for _ in range(2 if chance.random() < 0.2 else 1):
        recorded = world.attempt(
            chance,
            lambda: deposits.record_pay_in(
                account_id=shop.account_id,
                amount=Money(payment.minor, payment.currency),
                channel=channel.name,
                channel_reference=payment.reference,
                paid_at=payment.paid_at,
                refundable_until=payment.refundable_until,
                actor=MARKETPLACE,
                now=world.now,
            ),
        )
        if recorded is None:
            world.wrongs.append(f"{payment.reference} was paid, and is refused")


def _collect(world: World, channel: ModelChannel, shop: SimulatedShop, chance: Random) -> PaymentIn:
    window = channel.capabilities.original_window
    paid_at = world.now - dt.timedelta(minutes=10)
    payment = PaymentIn(
        reference=f"{channel.name}-in-{shop.number}-{len(channel.book.payments)}",
        shop=shop.number,
        minor=chance.choice(AMOUNTS),
        currency=shop.currency,
        paid_at=paid_at,
        refundable_until=paid_at + (window or DAY),
    )
    channel.book.payments[payment.reference] = payment
    shop.paid_in_minor += payment.minor
    return payment


def trade(world: World, shop: SimulatedShop, chance: Random) -> None:
    """An order is placed and, a while later, completed or closed. Both are reported, perhaps late."""
    if chance.random() < 0.6:
        place_order(world, shop, chance)
    else:
        complete_an_order(world, shop, chance)


def place_order(world: World, shop: SimulatedShop, chance: Random) -> None:
    """An order that stays open for a while."""
    placed_at = world.now - dt.timedelta(hours=chance.uniform(1, 40))
    spell = Spell("order", _next(shop, "order"), placed_at)
    if _tell(world, chance, _order(shop, spell)):
        shop.reported.spells.append(spell)
        _ends_later(world, shop, chance, days=12)


def complete_an_order(world: World, shop: SimulatedShop, chance: Random) -> None:
    """An order of which we hear when it is over; its reports come in any order."""
    ends_at = world.now - dt.timedelta(hours=chance.uniform(1, 9))
    spell = Spell("order", _next(shop, "order"), ends_at - dt.timedelta(hours=20), ends_at)
    if _tell(world, chance, _order(shop, spell, ends_at), _order(shop, spell)):
        shop.reported.spells.append(spell)
        shop.reported.completions.append(ends_at)


def finish(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Everything that should be over by now is reported to be over."""
    for spell in shop.reported.spells:
        if spell.until is None and (world.is_calm or chance.random() < 0.7):
            until = world.now - dt.timedelta(minutes=chance.uniform(5, 300))
            until = max(until, spell.from_at + dt.timedelta(seconds=1))
            report = _ENDS[spell.kind](shop, spell, until)
            if _tell(world, chance, report):
                spell.until = until
                if spell.kind == "order":
                    shop.reported.completions.append(until)


def trouble(world: World, shop: SimulatedShop, chance: Random) -> None:
    """A case, a restriction or a debt comes, and goes later."""
    kind = chance.choice(sorted(_BEGINS))
    spell = Spell(kind, _next(shop, kind), world.now - dt.timedelta(minutes=chance.uniform(5, 900)))
    if _tell(world, chance, _BEGINS[kind](shop, spell)):
        shop.reported.spells.append(spell)
        _ends_later(world, shop, chance, days=30)


def list_goods(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Goods go on sale, or off."""
    count = 0 if world.is_calm or shop.reported.listings else chance.randrange(1, 9)
    at = world.now - dt.timedelta(minutes=5)
    if _tell(
        world, chance, ListingsReport(shop_id=shop.shop_id, listings_on_sale=count, status_at=at)
    ):
        shop.reported.listings = count
        if count:
            world.look_again(shop.number, 20 * DAY)


def put_up_closing_notice(world: World, shop: SimulatedShop, chance: Random) -> None:
    """The shop says that it will close."""
    at = world.now - dt.timedelta(minutes=5)
    if _tell(
        world,
        chance,
        ShopReport(
            shop_id=shop.shop_id,
            standing=Standing.NORMAL,
            status_at=at,
            kind=ShopKind.ENTERPRISE,
            opened_at=at - 400 * DAY,
            name=f"Shop {shop.number}",
            closing_notice_at=at,
        ),
    ):
        shop.reported.closing_notice_at = at


def deduct(world: World, shop: SimulatedShop, chance: Random) -> None:
    """A dispute was lost or a rule broken: money is taken, now and then more than there is."""
    quantity = chance.randrange(1, 4)
    unit = Money(chance.choice([1, 500, 20_000, 250_000, 4_000_000]), shop.currency)
    reference = _next(shop, "deduction")
    purpose = chance.choice(sorted(DeductionPurpose))
    is_decided = False
    for _ in range(2 if chance.random() < 0.2 else 1):
        decided = world.attempt(
            chance,
            lambda: deposits.decide_deduction(
                account_id=shop.account_id,
                items=(DeductionItem("Buyers are compensated.", quantity, unit, ("O-1",)),),
                purpose=DeductionPurpose(purpose),
                reason="Goods were not as described.",
                clause="5.2",
                reference=reference,
                actor=MARKETPLACE,
                now=world.now,
            ),
        )
        is_decided = is_decided or decided is not None
    if is_decided:
        shop.deducted_minor += quantity * unit.minor


def require(world: World, shop: SimulatedShop, chance: Random) -> None:
    """The marketplace asks for another amount."""
    required = Money(chance.choice([0, 10_000, 150_000, 900_000]), shop.currency)
    world.attempt(
        chance,
        lambda: deposits.set_required(
            account_id=shop.account_id, required=required, actor=MARKETPLACE, now=world.now
        ),
    )


def _ends_later(world: World, shop: SimulatedShop, chance: Random, *, days: float) -> None:
    world.look_again(shop.number, chance.uniform(0.2, days) * DAY)


def _tell(world: World, chance: Random, *reports: Report) -> bool:
    """Report it, now and then twice; whether it was taken."""
    told = world.attempt(
        chance, lambda: record_reports(reports, source="simulation", now=world.now)
    )
    if told is not None and chance.random() < 0.1:
        world.attempt(chance, lambda: record_reports(reports, source="again", now=world.now))
    return told is not None


def _next(shop: SimulatedShop, kind: str) -> str:
    shop.numbers_used += 1
    return f"{kind}-{shop.number}-{shop.numbers_used}"


def _after_sale(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return AfterSaleReport(
        shop_id=shop.shop_id,
        after_sale_id=spell.name,
        order_id="O-1",
        status=AfterSaleStatus.CLOSED if until else AfterSaleStatus.OPEN,
        status_at=until or spell.from_at,
        opened_at=spell.from_at,
        closed_at=until,
    )


def _dispute(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return DisputeReport(
        shop_id=shop.shop_id,
        dispute_id=spell.name,
        status=DisputeStatus.CLOSED if until else DisputeStatus.OPEN,
        status_at=until or spell.from_at,
        opened_at=spell.from_at,
        closed_at=until,
    )


def _violation(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return ViolationReport(
        shop_id=shop.shop_id,
        violation_id=spell.name,
        status=ViolationStatus.SETTLED if until else ViolationStatus.OPEN,
        status_at=until or spell.from_at,
        occurred_at=spell.from_at,
        settled_at=until,
    )


def _restriction(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return RestrictionReport(
        shop_id=shop.shop_id,
        restriction_id=spell.name,
        kind=RestrictionKind.WITHDRAWAL,
        status_at=until or spell.from_at,
        from_at=spell.from_at,
        to_at=until,
    )


def _debt(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return DebtReport(
        shop_id=shop.shop_id,
        debt_id=spell.name,
        kind=DebtKind.COMMISSION,
        amount=Money(1_234, shop.currency),
        status=DebtStatus.SETTLED if until else DebtStatus.OPEN,
        status_at=until or spell.from_at,
    )


def _order(shop: SimulatedShop, spell: Spell, until: dt.datetime | None = None) -> Report:
    return OrderReport(
        shop_id=shop.shop_id,
        order_id=spell.name,
        status=OrderStatus.COMPLETED if until else OrderStatus.PAID,
        status_at=until or spell.from_at,
        amount=Money(9_900, shop.currency),
    )


_BEGINS: dict[str, Callable[..., Report]] = {
    "after_sale": _after_sale,
    "debt": _debt,
    "dispute": _dispute,
    "restriction": _restriction,
    "violation": _violation,
}
_ENDS: dict[str, Callable[..., Report]] = {**_BEGINS, "order": _order}
