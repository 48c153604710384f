"""What is common to all answers: refusals of us, and how values are read without trusting them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    NotSent,
    QueryOutcome,
    RejectedConfig,
    SubmitOutcome,
    Unknown,
)
from kuaitui.channels.wechatpay.client import Reply
from kuaitui.channels.wechatpay.settings import CURRENCY
from kuaitui.kernel.money import Money

BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
REFERENCE_CHARACTERS_MAX: Final = 64

# These refuse us, whatever was asked: credentials, permission, or another merchant's appid.
REFUSES_US: Final = frozenset(
    {
        (400, "APPID_MCHID_NOT_MATCH"),
        (400, "MCH_NOT_EXISTS"),
        (401, "SIGN_ERROR"),
        (403, "NO_AUTH"),
        (404, "MCH_NOT_EXISTS"),
    }
)
# These refuse what was asked and change nothing. Source: reference §1.1, error codes of refunds.
REFUSALS: Final[Mapping[tuple[int, str], FailedDefinite]] = {
    (400, "INVALID_REQUEST"): FailedDefinite("INVALID_REQUEST"),
    # Something in the request is wrong, and mostly it is ours: it can pass when that is mended.
    (400, "PARAM_ERROR"): FailedDefinite("PARAM_ERROR", same_key_retry_ok=True),
    (403, "NOT_ENOUGH"): FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True),
    (403, "USER_ACCOUNT_ABNORMAL"): FailedDefinite("USER_ACCOUNT_ABNORMAL"),
    (404, "ORDER_NOT_EXIST"): FailedDefinite("ORDER_NOT_EXIST"),
    (404, "RESOURCE_NOT_EXISTS"): FailedDefinite("RESOURCE_NOT_EXISTS"),
}


class AnswerUnreadable(Exception):  # noqa: N818 - an answer, like a refusal
    """A genuine answer without something that it must have."""


def refused(
    reply: Reply, *, also: Mapping[tuple[int, str], FailedDefinite] | None = None
) -> SubmitOutcome:
    """What a refusal of a *send* means, `also` those of one sort. What is not written is unknown."""
    known = refuses_us(reply) or {**REFUSALS, **(also or {})}.get((reply.status, reply.code))
    return known or reply.unmapped()


def refuses_us(reply: Reply) -> RejectedConfig | None:
    """Whether an answer refuses us rather than what was asked."""
    return RejectedConfig(reply.code) if (reply.status, reply.code) in REFUSES_US else None


def believe(refusal: SubmitOutcome, ask: Callable[[], QueryOutcome]) -> SubmitOutcome:
    """Whether a refusal of a send is true: only when WeChat Pay does not know the number.

    A refusal may be of this call alone, while an earlier one under the number took effect, or one
    of a history that was lost. Source: "HTTP status != 200: query", reference §1.2.
    """
    if not isinstance(refusal, FailedDefinite):
        return refusal
    standing = ask()
    match standing:
        case NotFound():
            return refusal
        case RejectedConfig():
            # It refuses the question, which says nothing of what was sent.
            return Unknown(f"then_{standing.code}")
        case NotSent():
            return after_a_call(standing)
        case _:
            return standing


def after_a_call(trouble: NotSent) -> Unknown:
    """A question that follows a call: that *it* was not sent does not unsend the call."""
    return Unknown(f"then_{trouble.cause}")


def reference(document: Mapping[str, Any], name: str) -> str:
    """A number of WeChat Pay's own.

    Raises:
        AnswerUnreadable: there is none, or none that a number can be.
    """
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= REFERENCE_CHARACTERS_MAX:
        raise AnswerUnreadable(name)
    return value


def moment(document: Mapping[str, Any], name: str) -> dt.datetime:
    """An RFC 3339 moment with its offset, in UTC.

    Raises:
        AnswerUnreadable: there is none.
    """
    value = document.get(name)
    try:
        read = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
        if read is None or read.tzinfo is None:
            raise AnswerUnreadable(name)
        return read.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise AnswerUnreadable(name) from None


def is_fen(value: object, amount: Money) -> bool:
    """Whether a field says exactly this amount; neither `true` nor 1.0 is one fen."""
    return type(value) is int and value == amount.minor and amount.currency == CURRENCY
