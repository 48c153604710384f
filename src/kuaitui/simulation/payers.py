"""Sellers who pay in by a code: they order, pay in time, late, twice or otherwise, or call it off."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Final

from kuaitui.channels.port import PayInMethod
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.operations import PayerDetails
from kuaitui.deposits.types import PayInChoice, PayInPace
from kuaitui.kernel.money import Money
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.visits import Payer, Step
from kuaitui.simulation.world import World, ask

MINUTE: Final = dt.timedelta(minutes=1)
# The standard lease, deadline and time to pay; rarer looks at what waits, which would be most work.
PACE: Final = PayInPace(
    check_delays=(dt.timedelta(seconds=3), MINUTE, 10 * MINUTE),
    checks_after_end=(10 * MINUTE, dt.timedelta(days=1)),
)
AMOUNTS: Final = (1, 9_900, 200_000, 1_234_567)
_SHOWN = """
SELECT number, amount_minor, pay_url <> '' AND state = 'waiting' FROM deposits_pay_in_order
WHERE public_id = %s
"""


def order(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Ask for a code to pay by, with the form sent once or twice."""
    shop.numbers_used += 1
    key = f"order-{shop.number}-{shop.numbers_used}"
    channel = chance.choice(sorted(world.model_channels))
    amount = Money(chance.choice(AMOUNTS), shop.currency)
    order_id = None
    for _ in range(2 if chance.random() < 0.2 else 1):
        started = world.attempt(
            chance,
            lambda: deposits.start_pay_in(
                account_id=shop.account_id,
                shop_key=shop.shop_key,
                choice=PayInChoice.OTHER,
                amount=amount,
                channel=channel,
                method=PayInMethod.QR_CODE,
                request_key=key,
                payer=PayerDetails(),
                channels=world.channels,
                pace=PACE,
                actor=shop.seller,
                now=world.now,
            ),
        )
        if started is not None and started != (order_id or started):
            world.wrongs.append(f"a form sent twice made two orders: {order_id}, {started}")
        order_id = started or order_id
    if order_id is not None:
        for step, minutes in _course(chance):
            at = world.clock.at + minutes * MINUTE
            world.payers.append((at, Payer(shop.number, order_id, channel, step)))


def _course(chance: Random) -> list[tuple[Step, float]]:
    """What one payer does, and after how many minutes."""
    in_time = chance.choice([0.2, 1, 5, 25])
    courses: tuple[list[tuple[Step, float]], ...] = (
        [(Step.PAY, in_time)],
        [(Step.PAY, in_time)],
        [(Step.PAY, in_time), (Step.PAY_ANYHOW, in_time + chance.choice([0.1, 60, 3000]))],
        [(Step.PAY_ANOTHER_AMOUNT, in_time)],
        # At the very moment at which it runs out.
        [(Step.PAY, chance.uniform(29.5, 30.7))],
        [(Step.CALL_OFF, in_time), (Step.PAY, in_time + chance.uniform(0, 0.1))],
        [(Step.CALL_OFF, in_time)],
        [(Step.PAY_ANYHOW, chance.choice([35, 600, 4000]))],
        [],
    )
    return chance.choice(courses)


def come(world: World, payer: Payer, chance: Random) -> None:
    """Do what a payer came for."""
    shop = world.shops[payer.shop]
    if payer.step is Step.CALL_OFF:
        world.attempt(
            chance,
            lambda: deposits.call_off_pay_in(
                order_id=payer.order_id, shop_key=shop.shop_key, actor=shop.seller, now=world.now
            ),
        )
        return
    ((number, minor, is_shown),) = ask(_SHOWN, payer.order_id)
    anyhow = payer.step is Step.PAY_ANYHOW
    if not (is_shown or anyhow):
        return
    is_other = payer.step is Step.PAY_ANOTHER_AMOUNT
    till = world.model_channels[payer.channel].till
    if till.pay(number, shop=shop.number, minor=minor + 7 * is_other, anyhow=anyhow):
        world.figures.payments += 1
        world.look_again(shop.number, dt.timedelta(hours=chance.choice([2, 30, 100])))
