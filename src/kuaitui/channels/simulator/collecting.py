"""What goes over the wire about pay-ins, and what the simulator's answers mean."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    PayInClosed,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    RejectedConfig,
    Unknown,
)
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

PAY_INS: Final = "/v1/pay-ins"
PAY_PAGES: Final = "/sim/pay"
REFUSALS: Final[dict[tuple[int, str], PayInOutcome]] = {
    (404, "NUMBER_UNKNOWN"): NotFound(),
    (422, "ACCOUNT_CLOSED"): FailedDefinite("ACCOUNT_CLOSED"),
    (403, "NOT_PERMITTED"): RejectedConfig("NOT_PERMITTED"),
    (401, "SIGNATURE_WRONG"): RejectedConfig("SIGNATURE_WRONG"),
}


def render_order(order: PayInOrder) -> bytes:
    """The request, the same bytes for the same order every time."""
    document = {
        "number": order.number,
        "amount_minor": order.amount.minor,
        "currency": order.amount.currency,
        "method": order.method.value,
        "description": order.description,
        "expires_at": order.expires_at.timestamp(),
        "return_url": order.return_url,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_order_answer(
    status: int, content: bytes, order: PayInOrder, *, base_url: str, is_opening: bool
) -> PayInOutcome:
    """What a properly signed answer means. Whatever is not written down here is Unknown."""
    try:
        document = json.loads(content)
        if status != 200:
            known = REFUSALS.get((status, str(document["code"])))
            return known or Unknown(f"http_{status}")
        if document["number"] != order.number:
            return Unknown("echo_mismatch")
        return _read_state(document, order, base_url, is_opening=is_opening)
    except (KeyError, TypeError, ValueError, OverflowError, Refusal):
        return Unknown("unreadable")


def _read_state(
    document: dict[str, Any], order: PayInOrder, base_url: str, *, is_opening: bool
) -> PayInOutcome:
    match document["state"]:
        case "PAID":
            return PayInPaid(
                reference=str(document["reference"]),
                amount=Money(document["paid_minor"], str(document["paid_currency"])),
                paid_at=dt.datetime.fromtimestamp(document["paid_at"], dt.UTC),
            )
        case "CLOSED":
            return PayInClosed()
        case "WAITING" if is_opening:
            return PayInOpened(
                f"{base_url.rstrip('/')}{PAY_PAGES}/{order.number}", order.expires_at
            )
        case "WAITING":
            return PayInWaiting()
        case _:
            return Unknown("state_unmapped")
