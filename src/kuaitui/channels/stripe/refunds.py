"""Money back along its payment. Our number is the idempotency key, and stands in the metadata."""

from __future__ import annotations

import datetime as dt
from typing import Final

from stripe.params import RefundCreateParams, RefundListParams

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    OriginalPayment,
    PayoutInstruction,
    QueryOutcome,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.stripe.amounts import read_amount
from kuaitui.channels.stripe.line import Line, Told

NUMBER: Final = "kuaitui_number"
PAGE: Final = 100


def submit_refund(
    line: Line,
    instruction: PayoutInstruction,
    target: OriginalPayment,
    *,
    deadline_s: float,
    now: dt.datetime,
) -> SubmitOutcome:
    """Ask for the refund. The same number is done once as long as Stripe remembers it."""
    content: RefundCreateParams = {
        "amount": instruction.amount.minor,
        "metadata": {NUMBER: instruction.number},
    }
    if target.payment_reference.startswith("pi_"):
        content["payment_intent"] = target.payment_reference
    else:
        content["charge"] = target.payment_reference
    told = line.ask(
        lambda: line.client.v1.refunds.create(content, {"idempotency_key": instruction.number}),
        deadline_s=deadline_s,
    )
    return read_refund(told, instruction, now=now) if isinstance(told, dict) else told


def query_refund(
    line: Line,
    instruction: PayoutInstruction,
    target: OriginalPayment,
    *,
    deadline_s: float,
    now: dt.datetime,
) -> QueryOutcome:
    """Look for the number among the refunds of its payment. Changes nothing."""
    content: RefundListParams = {"limit": PAGE}
    if target.payment_reference.startswith("pi_"):
        content["payment_intent"] = target.payment_reference
    else:
        content["charge"] = target.payment_reference
    told = line.ask(lambda: line.client.v1.refunds.list(content), deadline_s=deadline_s)
    if isinstance(told, FailedDefinite):
        # The question was refused, not the refund.
        return Unknown(told.code)
    if not isinstance(told, dict):
        return told
    refunds = told.get("data")
    if not isinstance(refunds, list):
        return Unknown("unreadable")
    for refund in refunds:
        if isinstance(refund, dict) and _number_of(refund) == instruction.number:
            return read_refund(refund, instruction, now=now)
    # A payment with more refunds than a page has is nothing a deposit ever comes to.
    return Unknown("too_many_refunds") if told.get("has_more") else NotFound()


def _number_of(refund: Told) -> object:
    metadata = refund.get("metadata")
    return metadata.get(NUMBER) if isinstance(metadata, dict) else None


def read_refund(refund: Told, instruction: PayoutInstruction, *, now: dt.datetime) -> SubmitOutcome:
    """What a refund's state means.

    One that failed after it had succeeded was sent back by the payee's bank; whoever saw it succeed
    knows that, and takes it as returned. Stripe does not tell when it succeeded.
    """
    reference = refund.get("id")
    try:
        amount = read_amount(refund.get("amount"), refund.get("currency"))
    except ValueError:
        return Unknown("unreadable")
    if not isinstance(reference, str) or not reference:
        return Unknown("unreadable")
    if _number_of(refund) != instruction.number or amount != instruction.amount:
        return Unknown("echo_mismatch")
    match refund.get("status"):
        case "pending":
            return Accepted(reference)
        case "requires_action":
            return NeedsAction(NeededAction.USER_CONFIRM, reference)
        case "succeeded":
            return Succeeded(reference, now)
        case "failed":
            reason = refund.get("failure_reason")
            return FailedDefinite(reason[:64] if isinstance(reason, str) else "failed")
        case "canceled":
            return FailedDefinite("canceled")
        case _:
            return Unknown("state_unmapped")
