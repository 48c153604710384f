"""A seller applies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from kuaitui.deposits.errors import DepositAccountUnknown, DestinationRequired
from kuaitui.deposits.operations import freeze_deposit, lock_deposit
from kuaitui.deposits.types import RoutePlan
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.policy.terms import Terms
from kuaitui.refunds import rules
from kuaitui.refunds.errors import (
    AmountChangedSinceShown,
    ApplicationAlreadyOpen,
    NotEligible,
    NoteTooLong,
    RequestKeyMissing,
    RequestKeyReused,
)
from kuaitui.refunds.events import ApplicationSubmitted
from kuaitui.refunds.models import ApplicationSnapshot, PolicyVersion, RefundApplication
from kuaitui.refunds.operations.draft import find_or_begin_draft
from kuaitui.refunds.operations.steps import advance
from kuaitui.refunds.queries.assessing import Look
from kuaitui.refunds.queries.policy import keep_terms
from kuaitui.refunds.queries.preview import Proposal, open_application, propose
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, Reason, Submitted

REQUEST_KEY_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True)
class _Entries:
    """What the seller entered."""

    choice: AmountChoice
    amount: Money | None
    reason: Reason
    note: str
    destination_id: str

    def are_those_of(self, row: RefundApplication) -> bool:
        """Whether an earlier application was made with the same entries.

        A destination that turned out not to be needed was not kept and is not compared.
        """
        same_amount = self.choice is not AmountChoice.PART or (
            self.amount is not None and self.amount.minor == row.requested_minor
        )
        return (
            same_amount
            and self.choice.value == row.choice
            and self.reason.value == row.reason
            and self.note == row.note
        )


@transaction.atomic(durable=True)
def submit_application(
    *,
    account_id: str,
    shop_key: int,
    choice: AmountChoice,
    amount: Money | None,
    reason: Reason,
    note: str,
    destination_id: str,
    request_key: str,
    actor: Actor,
    now: dt.datetime,
    amount_seen: Money | None = None,
) -> Submitted:
    """Apply for a refund: the deposit is looked at under lock and the money set aside.

    Posts *available → frozen*. The facts, the assessment and the policy are kept as they are now.
    The same `request_key` again returns the first application, however often and from however
    many tabs it is sent. `amount` counts for a part only; `destination_id` is empty for the way
    the money came, and ignored where all of it can go back that way. `amount_seen` is what the seller
    was shown, if a page showed it: under the lock it must still be so.

    Raises:
        DepositAccountUnknown: there is no such deposit, or it is another shop's.
        RequestKeyMissing, RequestKeyReused: the form was not sent as it was shown.
        ApplicationAlreadyOpen: `details` name the application under way.
        NoteTooLong: the note is too long.
        AmountMissing, AmountCurrencyWrong, AmountNotPositive, AmountAboveRefundable,
        NothingRefundable: what is wrong with the amount.
        NotEligible: `details` name the findings that do not pass.
        AmountChangedSinceShown: it is not what the seller saw.
        DestinationRequired, DestinationOfAnotherShop, DestinationUnknown: the destination.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here can pay such an account, or this amount.
    """
    entries = _Entries(choice, amount, reason, note.strip(), destination_id)
    _require_fitting(entries, request_key)
    summary = lock_deposit(account_id=account_id)
    if summary.shop_key != shop_key:
        raise DepositAccountUnknown(account=account_id)
    first = _submitted_before(account_id, request_key, entries)
    if first is not None:
        return Submitted(first.public_id, is_new=False)
    under_way = open_application(account_id=account_id)
    if under_way is not None:
        raise ApplicationAlreadyOpen(application=under_way)
    terms, policy = keep_terms(now=now)
    proposal = propose(
        summary, terms, choice=choice, amount=amount, destination_id=destination_id, now=now
    )
    plan = _require_ready(proposal)
    if amount_seen is not None and amount_seen != proposal.amount:
        raise AmountChangedSinceShown(amount_minor=proposal.amount.minor)
    row = find_or_begin_draft(
        account_id=account_id, shop_key=shop_key, currency=summary.currency, actor=actor, now=now
    )
    _fill(row, entries, proposal, plan, request_key, actor, now)
    _freeze_terms(row, terms, policy, now)
    freeze_deposit(account_id=account_id, amount=proposal.amount, reference=row.public_id, now=now)
    advance(
        row,
        to=State.SUBMITTED,
        code="submitted",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        audited={"amount_minor": proposal.amount.minor, "choice": choice.value},
    )
    take_snapshot(row, proposal.look, now=now)
    publish(ApplicationSubmitted(row.public_id), now=now)
    reach("refunds.submit.uncommitted")
    return Submitted(row.public_id, is_new=True)


@requires_transaction
def take_snapshot(row: RefundApplication, seen: Look, *, now: dt.datetime) -> None:
    """Keep facts and assessment as they are at this version."""
    ApplicationSnapshot(
        application=row,
        number=row.version,
        taken_at=now,
        facts=seen.facts_json(),
        assessment=seen.assessment.to_json(),
    ).save(force_insert=True)


def _require_fitting(entries: _Entries, request_key: str) -> None:
    if not 0 < len(request_key) <= REQUEST_KEY_LENGTH_MAX:
        raise RequestKeyMissing
    if len(entries.note) > rules.NOTE_LENGTH_MAX:
        raise NoteTooLong(length=len(entries.note), length_max=rules.NOTE_LENGTH_MAX)


def _submitted_before(
    account_id: str, request_key: str, entries: _Entries
) -> RefundApplication | None:
    row = RefundApplication.objects.filter(account_id=account_id, request_key=request_key).first()
    if row is not None and not entries.are_those_of(row):
        raise RequestKeyReused(application=row.public_id)
    return row


def _require_ready(proposal: Proposal) -> RoutePlan:
    blockers = proposal.look.assessment.blockers
    if blockers:
        raise NotEligible(codes=[finding.code for finding in blockers])
    if proposal.plan is None:
        raise DestinationRequired(amount_minor=proposal.amount.minor)
    return proposal.plan


def _fill(
    row: RefundApplication,
    entries: _Entries,
    proposal: Proposal,
    plan: RoutePlan,
    request_key: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    row.choice = entries.choice.value
    row.kind = proposal.kind.value
    row.requested_minor = proposal.amount.minor
    row.amount_minor = proposal.amount.minor
    row.reason = entries.reason.value
    row.note = entries.note
    row.destination_id = proposal.destination.destination_id if proposal.destination else ""
    row.destination_set_by = actor.id if proposal.destination else ""
    row.second_approval_forced = proposal.is_forced
    row.route_plan = plan.to_json()
    row.request_key = request_key
    row.submitted_at = now
    row.hold_occasion = 1


def _freeze_terms(
    row: RefundApplication, terms: Terms, policy: PolicyVersion, now: dt.datetime
) -> None:
    review = terms.review
    row.policy = policy
    row.auto_approval_limit_minor = rules.auto_approval_limit(review, row.currency).minor
    row.second_approval_from_minor = rules.second_approval_tier(review, row.currency).minor
    row.review_due_at = rules.end_of_period(review.review_time, start=now, terms=terms)
