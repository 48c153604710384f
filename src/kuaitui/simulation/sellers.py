"""What sellers do: apply, answer, withdraw, appeal, choose another account."""

from __future__ import annotations

import datetime as dt
from random import Random
from zoneinfo import ZoneInfo

from kuaitui.deposits import operations as deposits
from kuaitui.deposits.queries import deposit
from kuaitui.kernel.money import Money
from kuaitui.refunds import operations as refunds
from kuaitui.refunds.types import AmountChoice, Reason
from kuaitui.simulation import marketplace
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.world import STAFF, World

HOUR = dt.timedelta(hours=1)
ZONE = ZoneInfo(marketplace.ZONE)


def apply(
    world: World,
    shop: SimulatedShop,
    chance: Random,
    *,
    choice: AmountChoice | None = None,
    amount: Money | None = None,
    is_on_the_day: bool = False,
) -> None:
    """Ask for money back, with the form sent once, twice, or from two tabs."""
    choice = choice or chance.choice(
        [AmountChoice.EXCESS, AmountChoice.EXCESS, AmountChoice.PART, AmountChoice.WHOLE]
    )
    if choice is AmountChoice.WHOLE and not is_on_the_day and chance.random() < 0.3:
        marketplace.place_order(world, shop, chance)
    if chance.random() < 0.1:
        _draft(world, shop, chance, choice)
    if choice is AmountChoice.PART and amount is None:
        amount = _part(shop, chance)
    destination_id = _some_destination(world, shop, chance) if chance.random() < 0.6 else ""
    shop.numbers_used += 1
    key = f"form-{shop.number}-{shop.numbers_used}"
    for _ in range(2 if chance.random() < 0.15 else 1):
        submitted = world.attempt(
            chance,
            lambda: refunds.submit_application(
                account_id=shop.account_id,
                shop_key=shop.shop_key,
                choice=choice,
                amount=amount,
                reason=Reason.OTHER,
                note="",
                destination_id=destination_id,
                request_key=key,
                actor=shop.seller,
                now=world.now,
            ),
        )
        if submitted is not None:
            world.look_again(shop.number, HOUR * chance.choice([1, 8, 30, 100]))
    if choice is AmountChoice.WHOLE and not is_on_the_day:
        _come_back_on_the_day(world, shop, chance)


def _draft(world: World, shop: SimulatedShop, chance: Random, choice: AmountChoice) -> None:
    """Begin to fill in the form."""
    world.attempt(
        chance,
        lambda: refunds.save_draft(
            account_id=shop.account_id,
            shop_key=shop.shop_key,
            choice=choice,
            amount=None,
            reason=None,
            note="",
            destination_id="",
            actor=shop.seller,
            now=world.now,
        ),
    )


def leave(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Finish trading, put up the notice, and ask for everything back."""
    if shop.reported.listings:
        marketplace.list_goods(world, shop, chance)
    marketplace.finish(world, shop, chance)
    marketplace.complete_an_order(world, shop, chance)
    if chance.random() < 0.2 and shop.reported.closing_notice_at is None:
        marketplace.put_up_closing_notice(world, shop, chance)
    apply(world, shop, chance, choice=AmountChoice.WHOLE)


def answer(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Answer what staff asked, with another account now and then."""
    destination_id = _some_destination(world, shop, chance) if chance.random() < 0.5 else ""
    world.attempt(
        chance,
        lambda: refunds.provide_information(
            application_id=application_id,
            shop_key=shop.shop_key,
            text="It is mine.",
            destination_id=destination_id,
            actor=shop.seller,
            now=world.now,
        ),
    )


def withdraw(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Take it back, if that is still possible."""
    world.attempt(
        chance,
        lambda: refunds.withdraw_application(
            application_id=application_id, shop_key=shop.shop_key, actor=shop.seller, now=world.now
        ),
    )


def appeal(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Ask that somebody else look at a rejection."""
    world.attempt(
        chance,
        lambda: refunds.appeal_rejection(
            application_id=application_id,
            shop_key=shop.shop_key,
            text="Please look again.",
            actor=shop.seller,
            now=world.now,
        ),
    )


def repair(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Choose another account for what came back."""
    destination_id = _new_destination(world, shop, chance)
    if destination_id:
        world.attempt(
            chance,
            lambda: refunds.repair_destination(
                application_id=application_id,
                shop_key=shop.shop_key,
                destination_id=destination_id,
                actor=shop.seller,
                now=world.now,
            ),
        )


def _part(shop: SimulatedShop, chance: Random) -> Money:
    """Some of what is there, or all of the excess, or a unit more than that."""
    summary = deposit(shop.account_id)
    free = max(summary.available.minor, 1)
    picks = [
        1,
        chance.randint(1, free),
        max(summary.excess.minor, 1),
        summary.excess.minor + 1,
        free,
    ]
    return Money(chance.choice(picks), shop.currency)


def _come_back_on_the_day(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Sellers watch the countdown: they try the day before it ends, and on the day."""
    if shop.reported.completions:
        last = max(shop.reported.completions).astimezone(ZONE).replace(hour=0, minute=0)
        for days in (29, 30):
            due_at = last + dt.timedelta(days=days, hours=chance.uniform(1, 23))
            if due_at > world.now:
                world.look_again(shop.number, due_at - world.now, asks_for_all=True)


def _some_destination(world: World, shop: SimulatedShop, chance: Random) -> str:
    if shop.destinations and chance.random() < 0.8:
        return chance.choice(sorted(shop.destinations))
    return _new_destination(world, shop, chance)


def _new_destination(world: World, shop: SimulatedShop, chance: Random) -> str:
    shop.numbers_used += 1
    account_number = f"1{shop.number:03d}{shop.numbers_used:08d}"
    added = world.attempt(
        chance,
        lambda: deposits.add_destination(
            shop_key=shop.shop_key,
            holder_name="Owner",
            bank_name="Bank",
            account_number=account_number,
            actor=shop.seller,
            now=world.now,
        ),
    )
    if added is None:
        return ""
    shop.destinations[added.destination_id] = account_number
    if world.is_calm or chance.random() < 0.9:
        world.attempt(
            chance,
            lambda: deposits.verify_destination(
                destination_id=added.destination_id, actor=chance.choice(STAFF), now=world.now
            ),
        )
    return added.destination_id
