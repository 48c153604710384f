"""What staff do: approve, confirm, reject, ask, decide appeals, stop sending. And what they must not.

Now and then somebody tries what is forbidden: to confirm an own approval, to decide on a page that
is out of date. Each must be refused; that nothing came of it is for the auditor to see.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from random import Random

from kuaitui.deposits import operations as deposits
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.types import LimitScope
from kuaitui.refunds import operations as refunds
from kuaitui.refunds.queries import ApprovalPreview, case
from kuaitui.refunds.states import State
from kuaitui.refunds.types import RejectReason
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.world import STAFF, World, ask

HOUR = dt.timedelta(hours=1)
_OVERDUE = """
SELECT leg.public_id, leg.state FROM payouts_leg AS leg
JOIN payouts_payout AS payout ON payout.id = leg.payout_id
WHERE payout.account_id = %s AND leg.delayed_at IS NOT NULL
    AND leg.state IN ('ready', 'sending', 'unknown', 'accepted', 'needs_action')
ORDER BY leg.id
"""


def review(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Look at a case and decide: mostly to approve."""
    seen = case(application_id=application_id, now=world.now)
    approval = seen.approval
    whims = 0.0 if world.is_calm else chance.random()
    if whims > 0.93:
        reject(world, application_id, seen.application.version, chance)
    elif whims > 0.82:
        world.attempt(
            chance,
            lambda: refunds.request_information(
                application_id=application_id,
                version=seen.application.version,
                question="Whose account is it?",
                actor=chance.choice(STAFF),
                now=world.now,
            ),
        )
    elif approval is None or seen.approval_obstacle:
        _answer_obstacle(world, application_id, approval, seen.application.version, chance)
    else:
        approve(world, shop, application_id, approval, chance)


def _answer_obstacle(
    world: World,
    application_id: str,
    approval: ApprovalPreview | None,
    version: int,
    chance: Random,
) -> None:
    """Vouch for the account if that is what is missing; else say no, or wait."""
    destination = approval.destination if approval else None
    if destination is not None and not destination.is_verified:
        world.attempt(
            chance,
            lambda: deposits.verify_destination(
                destination_id=destination.destination_id, actor=chance.choice(STAFF), now=world.now
            ),
        )
    elif world.is_calm or chance.random() < 0.4:
        reject(world, application_id, version, chance)
    elif approval is not None:
        # A reviewer in a hurry tries all the same.
        _send_approval(world, application_id, approval, chance.choice(STAFF), chance)


def approve(
    world: World,
    shop: SimulatedShop,
    application_id: str,
    approval: ApprovalPreview,
    chance: Random,
) -> None:
    """Approve what the page shows, though it may have been open for days."""
    if not world.is_calm:
        if chance.random() < 0.1:
            world.clock.pass_by(chance.choice([1, 24, 90]) * HOUR)
        if chance.random() < 0.4:
            _try_what_is_forbidden(world, shop, application_id, approval, chance)
    _send_approval(world, application_id, approval, chance.choice(STAFF), chance)


def _try_what_is_forbidden(
    world: World,
    shop: SimulatedShop,
    application_id: str,
    approval: ApprovalPreview,
    chance: Random,
) -> None:
    """Approve as the seller, or something else than what the page shows, or an old page."""
    what = chance.choice(["as the seller", "something else", "an old page"])
    world.attempt_what_is_forbidden(
        chance,
        f"an approval of {what}",
        lambda: refunds.approve_application(
            application_id=application_id,
            version=approval.version - (what == "an old page"),
            approval_hash="0" * 64 if what == "something else" else approval.approval_hash,
            note="",
            actor=shop.seller if what == "as the seller" else STAFF[0],
            now=world.now,
        ),
    )


def _send_approval(
    world: World, application_id: str, approval: ApprovalPreview, actor: Actor, chance: Random
) -> None:
    world.attempt(
        chance,
        lambda: refunds.approve_application(
            application_id=application_id,
            version=approval.version,
            approval_hash=approval.approval_hash,
            note="",
            actor=actor,
            now=world.now,
        ),
    )


def confirm(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """The second approval. Whoever made the first one tries too, now and then."""
    del shop
    seen = case(application_id=application_id, now=world.now)
    approval = seen.approval
    if approval is None or (seen.approval_obstacle and chance.random() < 0.8):
        send_back(world, application_id, seen.application.version, chance)
        return
    first = [decision.actor_id for decision in seen.decisions if decision.kind == "approve"][-1:]

    def confirm_as(actor: Actor) -> State:
        return refunds.confirm_approval(
            application_id=application_id,
            version=approval.version,
            approval_hash=approval.approval_hash,
            amount_retyped=approval.amount,
            actor=actor,
            now=world.now,
        )

    makers = [actor for actor in STAFF if actor.id in first]
    if makers and chance.random() < 0.2:
        world.attempt_what_is_forbidden(
            chance, "a second approval by the first", lambda: confirm_as(makers[0])
        )
    second = chance.choice([actor for actor in STAFF if actor.id not in first])
    world.attempt(chance, lambda: confirm_as(second))


def send_back(world: World, application_id: str, version: int, chance: Random) -> None:
    """Do not confirm."""
    world.attempt(
        chance,
        lambda: refunds.send_back(
            application_id=application_id,
            version=version,
            text="Look again.",
            actor=chance.choice(STAFF),
            now=world.now,
        ),
    )


def reject(world: World, application_id: str, version: int, chance: Random) -> None:
    """Say no, with a reason."""
    world.attempt(
        chance,
        lambda: refunds.reject_application(
            application_id=application_id,
            version=version,
            reasons=(RejectReason.OTHER,),
            text="Not now.",
            actor=chance.choice(STAFF),
            now=world.now,
        ),
    )


def decide_appeal(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Grant it or not; whoever rejected tries too."""
    del shop
    version = case(application_id=application_id, now=world.now).application.version
    world.attempt(
        chance,
        lambda: refunds.decide_appeal(
            application_id=application_id,
            version=version,
            granted=not world.is_calm and chance.random() < 0.5,
            text="We looked again.",
            actor=chance.choice(STAFF),
            now=world.now,
        ),
    )


def decide_repair(world: World, shop: SimulatedShop, application_id: str, chance: Random) -> None:
    """Approve the other account, or not."""
    seen = case(application_id=application_id, now=world.now)
    if seen.approval_obstacle:
        _answer_obstacle(world, application_id, seen.approval, seen.application.version, chance)
    elif seen.approval is not None and (world.is_calm or chance.random() < 0.9):
        approve(world, shop, application_id, seen.approval, chance)
    else:
        world.attempt(
            chance,
            lambda: refunds.refuse_repair(
                application_id=application_id,
                version=seen.application.version,
                text="Another one, please.",
                actor=chance.choice(STAFF),
                now=world.now,
            ),
        )


def look_at_overdue_parts(world: World, shop: SimulatedShop, chance: Random) -> None:
    """Stop trying what its channel refuses; what it may have taken cannot be ended so."""
    for leg_id, state in ask(_OVERDUE, shop.account_id):
        if state == "ready" and chance.random() < 0.5:
            world.attempt(chance, partial(_stop_trying, world, leg_id, chance))
        elif state != "ready" and chance.random() < 0.5:
            world.attempt_what_is_forbidden(
                chance,
                "an end of what its channel may have taken",
                partial(_stop_trying, world, leg_id, chance),
            )


def _stop_trying(world: World, leg_id: str, chance: Random) -> bool:
    payouts.stop_trying(
        leg_id=leg_id, reason="It is refused.", actor=chance.choice(STAFF), now=world.now
    )
    return True


def stop_sending(world: World, chance: Random) -> None:
    """Stop one channel or all, and release it hours or days later."""
    channel = chance.choice(["*", *sorted(world.model_channels)])
    turn_switch(world, channel, is_stopped=True, chance=chance)


def turn_switch(world: World, channel: str, *, is_stopped: bool, chance: Random) -> None:
    """Turn the kill switch: one stops, two release."""
    now = world.now
    if is_stopped:
        world.attempt(
            chance,
            lambda: payouts.stop_sending(channel=channel, reason="drill", actor=STAFF[0], now=now),
        )
        return
    world.attempt(
        chance,
        lambda: payouts.propose_resume(channel=channel, reason="over", actor=STAFF[0], now=now),
    )
    world.attempt(chance, lambda: payouts.confirm_resume(channel=channel, actor=STAFF[1], now=now))


def release_hold(world: World, chance: Random) -> bool:
    """Two people let payouts go on after a restore, once nothing is unasked; whether they go on."""
    if not _is_held():
        return True
    first, second = chance.sample(STAFF, 2)
    world.attempt(
        chance,
        lambda: payouts.propose_release(finding="All asked.", actor=first, now=world.now),
    )
    if chance.random() < 0.3:
        world.attempt_what_is_forbidden(
            chance,
            "a release by one person",
            lambda: _confirm_release(world, first),
        )
    world.attempt(chance, lambda: _confirm_release(world, second))
    return not _is_held()


def _confirm_release(world: World, actor: Actor) -> bool:
    payouts.confirm_release(actor=actor, now=world.now)
    return True


def _is_held() -> bool:
    return bool(ask("SELECT 1 FROM payouts_hold WHERE released_at IS NULL"))


def set_limit(world: World, currency: str, chance: Random) -> None:
    """Say how much may go out in a day: more than any one part, less than all of them."""
    channel = chance.choice(sorted(world.model_channels))
    amount = Money(chance.choice([8_000_000, 20_000_000]), currency)
    world.attempt(chance, lambda: _limit(world, channel, currency, amount))


def lift_limit(world: World, channel: str, currency: str) -> None:
    """Let everything out again."""
    _limit(world, channel, currency, None)


def _limit(world: World, channel: str, currency: str, amount: Money | None) -> None:
    """One proposes, another confirms."""
    number = payouts.propose_limit(
        scope=LimitScope.CHANNEL_DAY,
        channel=channel,
        currency=currency,
        amount=amount,
        actor=STAFF[0],
        now=world.now,
    )
    payouts.confirm_limit(limit_id=number, amount=amount, actor=STAFF[1], now=world.now)
