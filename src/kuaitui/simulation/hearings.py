"""Deductions that are heard: announced, replied to, decided by another, appealed to a third.

Or not: sellers keep silent or come too late, and what nobody decides lapses. Now and then somebody
tries what is forbidden: to decide before the seller was heard, on what they announced themselves, or
on an appeal against their own decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from kuaitui.deductions import operations as deductions
from kuaitui.deductions.queries import CaseView, case
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.deposits.types import DeductionItem, DeductionPurpose
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.simulation.channels import DAY
from kuaitui.simulation.shops import Hearing, SimulatedShop
from kuaitui.simulation.world import STAFF, World, ask

UNITS = (1, 500, 20_000, 250_000, 4_000_000)
_OPEN = """
SELECT public_id FROM deductions_case
WHERE account_id = %s AND state IN ('announced', 'taken', 'appealed')
ORDER BY id
"""
_WAITING = """
SELECT 1 FROM deductions_case WHERE account_id = %s AND state IN ('announced', 'appealed') LIMIT 1
"""


def is_anything_open(shop: SimulatedShop) -> bool:
    """Whether a case of the shop waits for somebody."""
    return bool(ask(_WAITING, shop.account_id))


def announce(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Somebody finds that the shop has to pay; now and then more than there is, or twice."""
    items = tuple(
        DeductionItem(f"Order {number}", chance.randrange(1, 4), _unit(shop, chance), ("O-1",))
        for number in range(1, chance.randrange(2, 5))
    )
    actor, purpose = chance.choice(STAFF), chance.choice(sorted(DeductionPurpose))
    shop.numbers_used += 1
    reference = f"hearing-{shop.number}-{shop.numbers_used}"
    for _ in range(2 if chance.random() < 0.2 else 1):
        announced_at = world.now
        case_id = world.attempt(
            chance,
            lambda: deductions.announce_deduction(
                account_id=shop.account_id,
                items=items,
                purpose=DeductionPurpose(purpose),
                reason="Goods were not as described.",
                clause="5.2",
                reference=reference,
                actor=actor,
                now=world.now,
            ),
        )
        if case_id is not None and case_id not in shop.hearings:
            sums = tuple(item.amount.minor for item in items)
            shop.hearings[case_id] = Hearing(case_id, sums, actor.id, announced_at)
            world.look_again(shop.number, chance.choice([0.2, 1, 5, 9]) * DAY)


def look_at(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Whoever is next acts on each case of the shop."""
    for (case_id,) in ask(_OPEN, shop.account_id):
        hearing = shop.hearings[case_id]
        seen = case(case_id, now=world.now)
        if seen.state is CaseState.TAKEN:
            if not world.is_calm and chance.random() < (0.4 if seen.can_appeal else 0.02):
                _appeal(world, shop, hearing, chance)
        elif seen.state is CaseState.APPEALED:
            _hear_the_appeal(world, shop, seen, hearing, chance)
        else:
            _go_on(world, shop, seen, hearing, chance)
        is_over = seen.state is CaseState.TAKEN and not seen.can_appeal
        if not (is_over or world.is_calm):
            world.look_again(shop.number, chance.choice([0.5, 3, 9, 25]) * DAY)


def _go_on(
    world: World, shop: SimulatedShop, seen: CaseView, hearing: Hearing, chance: Random
) -> None:
    """The seller replies or not, and others decide or not."""
    if seen.reply is None and (world.is_calm or chance.random() < 0.5):
        _reply(world, shop, seen, hearing, chance)
    if not world.is_calm and chance.random() < 0.2:
        _try_what_is_forbidden(world, case(seen.case_id, now=world.now), hearing, chance)
    if world.is_calm or chance.random() < 0.5:
        _decide(world, shop, case(seen.case_id, now=world.now), hearing, chance)


def _reply(
    world: World, shop: SimulatedShop, seen: CaseView, hearing: Hearing, chance: Random
) -> None:
    """Agree or object, in time or too late, and now and then twice."""
    reply = chance.choice(sorted(Reply))
    for _ in range(2 if chance.random() < 0.2 else 1):
        replied_at = world.now
        world.attempt(
            chance,
            lambda: deductions.reply_to_deduction(
                case_id=seen.case_id,
                shop_key=shop.shop_key,
                reply=Reply(reply),
                text="They were." if reply == Reply.OBJECTS else "",
                actor=shop.seller,
                now=world.now,
            ),
        )
        if hearing.replied_at is None and case(seen.case_id, now=world.now).reply is not None:
            hearing.replied_at = replied_at


def _try_what_is_forbidden(world: World, seen: CaseView, hearing: Hearing, chance: Random) -> None:
    """Take as whoever announced it, or before the seller was heard, or on an old page."""
    ways = {
        "by whoever announced it": (_actor(hearing.announced_by), seen.version),
        "on an old page": (_another_than(chance, hearing.announced_by), seen.version - 1),
    }
    if not seen.can_be_taken:
        ways["before its seller was heard"] = (
            _another_than(chance, hearing.announced_by),
            seen.version,
        )
    what = chance.choice(sorted(ways))
    actor, version = ways[what]
    world.attempt_what_is_forbidden(
        chance,
        f"a deduction {what}",
        lambda: deductions.take_items(
            case_id=seen.case_id,
            version=version,
            numbers=[1],
            text="It is so.",
            actor=actor,
            now=world.now,
        ),
    )


def _decide(
    world: World, shop: SimulatedShop, seen: CaseView, hearing: Hearing, chance: Random
) -> None:
    """Take some of the items, or all, or none."""
    if chance.random() < 0.2:
        world.attempt(
            chance,
            lambda: deductions.drop_deduction(
                case_id=seen.case_id,
                version=seen.version,
                text="It was not so.",
                actor=chance.choice(STAFF),
                now=world.now,
            ),
        )
        return
    actor = _another_than(chance, hearing.announced_by)
    numbers = _some_of(range(1, len(hearing.items) + 1), chance)
    world.attempt(
        chance,
        lambda: deductions.take_items(
            case_id=seen.case_id,
            version=seen.version,
            numbers=numbers,
            text="It is so.",
            actor=actor,
            now=world.now,
        ),
    )
    # Whoever died of it looks at the page to see whether it was done.
    after = case(seen.case_id, now=world.now)
    if after.state is CaseState.TAKEN and after.decided_by == actor.id:
        hearing.taken, hearing.taken_by = numbers, actor.id
        shop.deducted_minor += hearing.sum_of(numbers)


def _appeal(world: World, shop: SimulatedShop, hearing: Hearing, chance: Random) -> None:
    """Ask that a third person look at it, in time or too late."""
    appealed_at = world.now
    world.attempt(
        chance,
        lambda: deductions.appeal_deduction(
            case_id=hearing.case_id,
            shop_key=shop.shop_key,
            text="Please look again.",
            actor=shop.seller,
            now=world.now,
        ),
    )
    if case(hearing.case_id, now=world.now).state is CaseState.APPEALED:
        hearing.appealed_at = appealed_at


def _hear_the_appeal(
    world: World, shop: SimulatedShop, seen: CaseView, hearing: Hearing, chance: Random
) -> None:
    """A third person gives some of it back, or all, or nothing; the others try too."""
    involved = (hearing.announced_by, hearing.taken_by)
    if not world.is_calm and chance.random() < 0.2:
        world.attempt_what_is_forbidden(
            chance,
            "an answer to an appeal by somebody involved",
            lambda: _answer(world, seen, frozenset(), _actor(chance.choice(involved))),
        )
    if not world.is_calm and chance.random() < 0.7:
        return
    actor = _another_than(chance, *involved)
    numbers = frozenset[int]()
    if chance.random() < 0.7:
        numbers = _some_of(sorted(hearing.taken), chance)
    world.attempt(chance, lambda: _answer(world, seen, numbers, actor))
    if case(seen.case_id, now=world.now).answered_by == actor.id:
        hearing.given_back, hearing.is_answered = numbers, True
        shop.deducted_minor -= hearing.sum_of(numbers)


def _answer(world: World, seen: CaseView, numbers: frozenset[int], actor: Actor) -> bool:
    deductions.answer_appeal(
        case_id=seen.case_id,
        version=seen.version,
        numbers=numbers,
        text="We looked again.",
        actor=actor,
        now=world.now,
    )
    return True


def _unit(shop: SimulatedShop, chance: Random) -> Money:
    return Money(chance.choice(UNITS), shop.currency)


def _some_of(numbers: Sequence[int], chance: Random) -> frozenset[int]:
    return frozenset(chance.sample(numbers, chance.randint(1, len(numbers))))


def _actor(actor_id: str) -> Actor:
    (actor,) = (actor for actor in STAFF if actor.id == actor_id)
    return actor


def _another_than(chance: Random, *actor_ids: str) -> Actor:
    return chance.choice([actor for actor in STAFF if actor.id not in actor_ids])
