"""After a restore nothing is sent until the channels were asked about everything (ADR-0014)."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import Q

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import wake
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import (
    LostWindowUnasked,
    ReasonMissing,
    ReleaseNeedsAnother,
    ReleaseNotProposed,
    SendingNotHeld,
)
from kuaitui.payouts.models import (
    Incarnation,
    PayoutAttempt,
    PayoutLeg,
    SendBack,
    SendBackAttempt,
    SendingHold,
)
from kuaitui.payouts.operations.switches import lock_switches
from kuaitui.payouts.queries.holds import (
    LastSend,
    incarnation_last_sent_from,
    incarnation_now,
    knows_send,
    unasked_count,
)
from kuaitui.payouts.states import LIVE
from kuaitui.payouts.types import HoldCause

TEXT_LENGTH_MAX = 200
WATCHMAN = Actor.system("payouts.restore_watch")

log = structlog.get_logger(__name__)


@transaction.atomic(durable=True)
def hold_if_restored(*, last_send: LastSend | None, now: dt.datetime) -> bool:
    """Begin a hold when this database is not the one that sent last; whether one was begun.

    `last_send` is what this installation noted outside of the database, of one sort of send. The
    first incarnation is taken as it is.
    """
    identity, known = incarnation_now(), incarnation_last_sent_from()
    if known is None:
        Incarnation.objects.create(identity=identity, seen_at=now)
        known = identity
    if SendingHold.objects.filter(released_at=None).exists():
        return False
    if known != identity:
        reason = f"the database last sent as {known}, and is {identity} now"
        return _begin(HoldCause.INCARNATION, reason, WATCHMAN, now)
    if last_send is not None and not knows_send(last_send):
        reason = f"the database does not know attempt {last_send.attempt_id} of {last_send.sent_id}"
        return _begin(HoldCause.MARK, reason, WATCHMAN, now)
    return False


@transaction.atomic(durable=True)
def hold_sending(*, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Let nothing be sent until the channels were asked about everything. Again is a no-op.

    Unlike the kill switch, whose release sends at once what waits.

    Raises:
        ReasonMissing: say why.
    """
    if not reason.strip():
        raise ReasonMissing
    if not SendingHold.objects.filter(released_at=None).exists():
        _begin(HoldCause.PERSON, reason.strip(), actor, now)


@transaction.atomic(durable=True)
def propose_release(*, finding: str, actor: Actor, now: dt.datetime) -> None:
    """Say what was found, so that somebody else can release. A later proposal takes its place.

    Raises:
        SendingNotHeld: there is no hold.
        ReasonMissing: say what was found.
        LostWindowUnasked: some channel has not answered yet; `details` say about how many.
    """
    if not finding.strip():
        raise ReasonMissing
    hold = _lock_hold()
    _require_asked(hold)
    hold.proposed_by, hold.proposed_at = actor.id, now
    hold.finding = finding.strip()[:TEXT_LENGTH_MAX]
    hold.save()
    record(
        actor=actor,
        action="payout.hold_release_proposed",
        object_id=f"hold:{hold.id}",
        details={"finding": hold.finding},
        now=now,
    )


@transaction.atomic(durable=True)
def confirm_release(*, actor: Actor, now: dt.datetime) -> None:
    """Let payouts go on, from the database as it is now.

    Raises:
        SendingNotHeld: there is no hold.
        ReleaseNotProposed: nobody said what was found.
        ReleaseNeedsAnother: the same person proposed it. The database would refuse it too.
        LostWindowUnasked: some channel has not answered yet.
    """
    hold = _lock_hold()
    if hold.proposed_at is None:
        raise ReleaseNotProposed
    if hold.proposed_by == actor.id:
        raise ReleaseNeedsAnother
    _require_asked(hold)
    hold.released_by, hold.released_at = actor.id, now
    hold.save()
    Incarnation.objects.create(identity=incarnation_now(), seen_at=now)
    record(
        actor=actor,
        action="payout.hold_released",
        object_id=f"hold:{hold.id}",
        details={"proposed_by": hold.proposed_by, "finding": hold.finding},
        now=now,
    )
    wake()


@requires_transaction
def _begin(cause: HoldCause, reason: str, actor: Actor, now: dt.datetime) -> bool:
    # Waits for the claims under way; when it is committed, no further send can begin.
    lock_switches()
    if SendingHold.objects.filter(released_at=None).exists():
        return False
    hold = SendingHold.objects.create(
        cause=cause,
        reason=reason[:TEXT_LENGTH_MAX],
        begun_by=actor.id,
        begun_at=now,
        known_until=_last_call_at(),
    )
    live = Q(state__in=[state.value for state in LIVE], set_aside_at=None, lease_until=None)
    PayoutLeg.objects.filter(live).update(next_check_at=now)
    SendBack.objects.filter(live).update(next_check_at=now)
    log.critical("payout.sending_held", cause=cause.value, hold=hold.id)
    record(
        actor=actor,
        action="payout.sending_held",
        object_id=f"hold:{hold.id}",
        details={"cause": cause.value, "reason": hold.reason},
        now=now,
    )
    wake()
    return True


def _last_call_at() -> dt.datetime | None:
    """When the last call of these books began: workers call nobody before they have looked."""
    calls = PayoutAttempt.objects.order_by("-id").values_list("started_at", flat=True)[:1]
    backs = SendBackAttempt.objects.order_by("-id").values_list("started_at", flat=True)[:1]
    return max([*calls, *backs], default=None)


def _lock_hold() -> SendingHold:
    hold = SendingHold.objects.select_for_update().filter(released_at=None).first()
    if hold is None:
        raise SendingNotHeld
    return hold


def _require_asked(hold: SendingHold) -> None:
    count = unasked_count(hold.begun_at)
    if count:
        raise LostWindowUnasked(count=count)
