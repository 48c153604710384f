"""Whoever is next acts on what is open at a shop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random

from kuaitui.simulation import finance, hearings, marketplace, sellers, staff
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.world import World, ask

HOUR = dt.timedelta(hours=1)
_OPEN = """
SELECT public_id, state, appeals, due_at FROM refunds_application
WHERE account_id = %s AND (state NOT IN ('paid', 'withdrawn', 'rejected', 'expired', 'closed_out')
    OR state = 'rejected' AND appeals = 0 AND due_at IS NOT NULL)
ORDER BY state <> 'draft', id
"""
"""Drafts first: who fills one in may sell something before, and a payout begun in the same visit is
judged by all that was reported by the end of it."""
ENDS_WITHOUT_PEOPLE = ("draft", "rejected", "submitted", "checking", "approved", "paying")


def is_anything_open(shop: SimulatedShop) -> bool:
    """Whether an application of the shop has not ended, or a deduction waits for somebody."""
    return bool(ask(_OPEN, shop.account_id)) or hearings.is_anything_open(shop)


def look_at(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Let the marketplace finish what should be over, and the next person act."""
    marketplace.finish(world, shop, chance)
    if shop.reported.listings and (world.is_calm or chance.random() < 0.3):
        marketplace.list_goods(world, shop, chance)
    finance.give_payments_their_place(world, shop, chance)
    hearings.look_at(world, shop, chance)
    if not world.is_calm:
        staff.look_at_overdue_parts(world, shop, chance)
    for application_id, state, appeals, _ in ask(_OPEN, shop.account_id):
        _act_on(world, shop, application_id, state, appeals, chance)
        if state not in ENDS_WITHOUT_PEOPLE:
            world.look_again(shop.number, HOUR * chance.choice([2, 20, 60, 200]))


def _act_on(
    world: World, shop: SimulatedShop, application_id: str, state: str, appeals: int, chance: Random
) -> None:
    if world.is_calm:
        if state in _FINISHING:
            _FINISHING[state](world, shop, application_id, chance)
        return
    if state in _MAY_WITHDRAW and chance.random() < (
        0.15 if state in ENDS_WITHOUT_PEOPLE else 0.05
    ):
        sellers.withdraw(world, shop, application_id, chance)
        return
    act = None if state == "rejected" and appeals else _NEXT.get(state)
    if act is not None and chance.random() < _EAGERNESS.get(state, 1.0):
        act(world, shop, application_id, chance)


def _draft(world: World, shop: SimulatedShop, _application_id: str, chance: Random) -> None:
    sellers.apply(world, shop, chance)


Act = Callable[[World, SimulatedShop, str, Random], None]
_MAY_WITHDRAW = frozenset(
    {"submitted", "in_review", "more_information", "awaiting_second_approval", "approved"}
    | {"paying", "appealed", "destination_repaired"}
)
_FINISHING: dict[str, Act] = {
    "in_review": staff.review,
    "more_information": sellers.answer,
    "awaiting_second_approval": staff.confirm,
    "appealed": staff.decide_appeal,
    "returned": sellers.repair,
    "destination_repaired": staff.decide_repair,
}
_NEXT: dict[str, Act] = {**_FINISHING, "draft": _draft, "rejected": sellers.appeal}
# How likely somebody does something at all when they look.
_EAGERNESS = {"more_information": 0.8, "rejected": 0.4, "returned": 0.7}
