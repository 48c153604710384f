"""The exact request of a leg, sealed: what was approved is what is sent, every time.

The seal binds the leg and its approval. A request copied from another leg, changed in place, or
put under another approval does not open, and a leg whose request does not open is not sent.
"""

from __future__ import annotations

import json
from typing import Any

from kuaitui.channels.port import OriginalPayment, PayeeAccount, PayeeKind, PayoutInstruction
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.encryption import Sealed, keyring
from kuaitui.payouts.models import PayoutLeg


def seal_request(instruction: PayoutInstruction, *, leg_id: str, approval_hash: str) -> Sealed:
    """The instruction as it will be sent, readable by whoever holds the keyring only."""
    target = instruction.target
    if isinstance(target, OriginalPayment):
        payee: dict[str, object] = {
            "payment_reference": target.payment_reference,
            "total_minor": target.total.minor,
        }
    else:
        payee = _payee(target)
    document = {
        "number": instruction.number,
        "amount_minor": instruction.amount.minor,
        "currency": instruction.amount.currency,
        "target": payee,
    }
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return keyring().seal(text, context=_context(leg_id, approval_hash))


def open_request(leg: PayoutLeg) -> PayoutInstruction:
    """The instruction of a leg, the same as on the day it was approved.

    Raises:
        SealBroken: the request, its leg or its approval is not what was sealed.
        InvariantViolated: the row says another number or amount than the request.
    """
    sealed = Sealed(leg.request_key_id, bytes(leg.request_sealed))
    document = json.loads(
        keyring().unseal(sealed, context=_context(leg.public_id, leg.approval_hash))
    )
    instruction = PayoutInstruction(
        number=document["number"],
        amount=Money(document["amount_minor"], document["currency"]),
        target=_target(document["target"], document["currency"]),
    )
    ensure(instruction.number == leg.channel_number, "a leg is sent under its own number")
    ensure(
        instruction.amount == Money(leg.amount_minor, leg.currency), "a leg is sent with its amount"
    )
    return instruction


def seal_payee(payee: PayeeAccount, *, leg_id: str, destination_id: str) -> Sealed:
    """To which account a stuck refund is handed over, readable by whoever holds the keyring only."""
    text = json.dumps(_payee(payee), ensure_ascii=False, sort_keys=True)
    return keyring().seal(text, context=_payee_context(leg_id, destination_id))


def open_payee(sealed: Sealed, *, leg_id: str, destination_id: str) -> PayeeAccount:
    """The account that two people decided on.

    Raises:
        SealBroken: it is not what was sealed for this leg and destination.
    """
    text = keyring().unseal(sealed, context=_payee_context(leg_id, destination_id))
    return _account(json.loads(text))


def _payee(account: PayeeAccount) -> dict[str, object]:
    return {
        "holder_name": account.holder_name,
        "bank_name": account.bank_name,
        "account_number": account.account_number,
        "kind": account.kind.value,
        "bank_code": account.bank_code,
        "is_company": account.is_company,
    }


def _account(payee: dict[str, Any]) -> PayeeAccount:
    return PayeeAccount(**{**payee, "kind": PayeeKind(payee["kind"])})


def _target(payee: dict[str, Any], currency: str) -> OriginalPayment | PayeeAccount:
    if "payment_reference" in payee:
        return OriginalPayment(payee["payment_reference"], Money(payee["total_minor"], currency))
    return _account(payee)


def _payee_context(leg_id: str, destination_id: str) -> str:
    return f"payouts_intervention.payee:{leg_id}:{destination_id}"


def _context(leg_id: str, approval_hash: str) -> str:
    return f"payouts_leg.request:{leg_id}:{approval_hash}"
