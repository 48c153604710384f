"""What finance staff do: find in the bills what nobody told, and give every payment its place."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from kuaitui.deposits import operations as deposits
from kuaitui.deposits.operations import FoundPayment
from kuaitui.deposits.types import FoundBy, Resolution
from kuaitui.kernel.money import Money
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.world import STAFF, World, ask

BILLED_AFTER = dt.timedelta(days=1)
_PLACED = """
SELECT channel, reference FROM deposits_channel_payment
UNION SELECT channel, reference FROM deposits_suspense
"""
_WITHOUT_A_PLACE = """
SELECT public_id, channel, reference, version, state FROM deposits_suspense
WHERE state IN ('open', 'proposed') ORDER BY id
"""


def read_bills(world: World, chance: Random) -> None:
    """Whatever a channel's bills name and nobody here knows is found.

    The bills themselves, their bytes and how they are compared, are tested with real ones; here
    it counts what becomes of a payment that was found.
    """
    placed = set(ask(_PLACED))
    for name in sorted(world.model_channels):
        for payment in list(world.model_channels[name].book.payments.values()):
            is_billed = world.is_calm or payment.paid_at <= world.now - BILLED_AFTER
            if not is_billed or (name, payment.reference) in placed:
                continue
            found = FoundPayment(
                channel=name,
                reference=payment.reference,
                number=payment.order,
                amount=Money(payment.minor, payment.currency),
                paid_at=min(payment.paid_at, world.now),
                refundable_until=payment.refundable_until,
            )
            _note(world, chance, found)


def _note(world: World, chance: Random, found: FoundPayment) -> None:
    world.attempt(
        chance,
        lambda: deposits.note_found_payment(found=found, found_by=FoundBy.BILL, now=world.now),
    )


def is_anything_without_a_place(world: World) -> bool:
    """Whether a payment is nowhere, or waits for people."""
    placed = set(ask(_PLACED))
    return bool(ask(_WITHOUT_A_PLACE)) or any(
        (name, reference) not in placed
        for name, channel in world.model_channels.items()
        for reference in channel.book.payments
    )


def give_payments_their_place(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Two people say what becomes of a shop's payments in suspense; one alone tries, now and then."""
    for row in ask(_WITHOUT_A_PLACE):
        payment = world.model_channels[row[1]].book.payments.get(row[2])
        if payment is not None and payment.shop == shop.number:
            _decide(world, shop, row, chance)


def _decide(world: World, shop: SimulatedShop, row: tuple[Any, ...], chance: Random) -> None:
    suspense_id, _, _, version, state = row
    first, second = chance.sample(STAFF, 2)
    # At the end it stays: what goes back may come back again.
    goes_back = not world.is_calm and chance.random() < 0.5
    if state == "open":
        world.attempt(
            chance,
            lambda: deposits.propose_resolution(
                suspense_id=suspense_id,
                version=version,
                resolution=Resolution.SEND_BACK if goes_back else Resolution.ATTRIBUTE,
                account_id="" if goes_back else shop.account_id,
                reason="Its payer asks for it." if goes_back else "It is this shop's.",
                actor=first,
                now=world.now,
            ),
        )
        version += 1
        if chance.random() < 0.2:
            world.attempt_what_is_forbidden(
                chance,
                "a payment is placed by one person",
                lambda: deposits.confirm_resolution(
                    suspense_id=suspense_id, version=version, actor=first, now=world.now
                ),
            )
    if not world.is_calm and chance.random() < 0.2:
        world.attempt(
            chance,
            lambda: deposits.refuse_resolution(
                suspense_id=suspense_id, version=version, actor=second, now=world.now
            ),
        )
        return
    proposer = ask("SELECT proposed_by FROM deposits_suspense WHERE public_id = %s", suspense_id)
    others = [actor for actor in (first, second) if (actor.id,) not in proposer]
    world.attempt(
        chance,
        lambda: deposits.confirm_resolution(
            suspense_id=suspense_id, version=version, actor=others[-1], now=world.now
        ),
    )
