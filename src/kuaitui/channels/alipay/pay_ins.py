"""Money in: a QR code (trade.precreate) or a link (trade.wap.pay), asked about by trade.query.

Neither makes a trade at Alipay before the payer comes: until then Alipay does not know the number.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.alipay.codes import PAY_IN, PAY_IN_QUERY, meaning_of, names_any
from kuaitui.channels.alipay.formats import (
    CURRENCY,
    read_moment,
    read_yuan,
    write_moment,
    write_yuan,
)
from kuaitui.channels.alipay.gateway import Clock, Content, Gateway
from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    Unknown,
)
from kuaitui.kernel.clock import read_stopwatch_s

QR_METHOD: Final = "alipay.trade.precreate"
LINK_METHOD: Final = "alipay.trade.wap.pay"
QUERY_METHOD: Final = "alipay.trade.query"
CLOSE_METHOD: Final = "alipay.trade.close"
QR_LASTS: Final = dt.timedelta(hours=2)
SUBJECT_CHARACTERS_MAX: Final = 128
# Alipay takes none of these in a subject.
_NOT_IN_A_SUBJECT: Final = str.maketrans("/=&", "   ")
# The trade is past paying and closing; how it ended is asked.
ALREADY_ENDED: Final = (
    "TRADE_HAS_SUCCESS",
    "TRADE_HAS_CLOSE",
    "TRADE_STATUS_ERROR",
    "REASON_TRADE_STATUS_INVALID",
    "REASON_ILLEGAL_STATUS",
)


class PayIns:
    """The pay-ins of one application."""

    def __init__(self, gateway: Gateway, *, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock

    def open(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """A QR code from Alipay, or a link that only the payer's browser will call."""
        if order.amount.currency != CURRENCY:
            return FailedDefinite("currency_not_offered")
        if order.method is PayInMethod.LINK:
            link = self._gateway.link(LINK_METHOD, link_content(order), return_url=order.return_url)
            return PayInOpened(link, order.expires_at)
        ends_s = read_stopwatch_s() + deadline_s
        answer = self._gateway.ask(
            QR_METHOD, qr_content(order), deadline_s=deadline_s, notifies=True
        )
        if not isinstance(answer, Answer):
            return answer
        if names_any(answer, ALREADY_ENDED):
            return self._ask_how_it_ended(order, ends_s)
        outcome = read_opened(answer, order, now=self._clock())
        if isinstance(outcome, PayInOpened) and not self._gateway.may_be_followed(outcome.pay_url):
            return Unknown("unreadable")
        return outcome

    def query(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Whether it was paid."""
        content = {"out_trade_no": order.number}
        answer = self._gateway.ask(QUERY_METHOD, content, deadline_s=deadline_s)
        if not isinstance(answer, Answer):
            return answer
        return read_trade(answer, order, now=self._clock())

    def close(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more. A trade nobody has begun cannot be closed: NotFound."""
        ends_s = read_stopwatch_s() + deadline_s
        content = {"out_trade_no": order.number}
        answer = self._gateway.ask(CLOSE_METHOD, content, deadline_s=deadline_s)
        if not isinstance(answer, Answer):
            return answer
        if names_any(answer, ALREADY_ENDED):
            return self._ask_how_it_ended(order, ends_s)
        return read_closed(answer, order)

    def _ask_how_it_ended(self, order: PayInOrder, ends_s: float) -> PayInOutcome:
        left_s = ends_s - read_stopwatch_s()
        if left_s <= 0:
            return Unknown("deadline")
        outcome = self.query(order, deadline_s=left_s)
        # It was said to have ended; an answer that says otherwise decides nothing.
        ended = isinstance(outcome, PayInPaid | PayInClosed)
        return outcome if ended else Unknown("ended_and_not")


def qr_content(order: PayInOrder) -> Content:
    """The request for a QR code, the same for the same order every time."""
    return {
        "out_trade_no": order.number,
        "total_amount": write_yuan(order.amount),
        "subject": order.description.translate(_NOT_IN_A_SUBJECT)[:SUBJECT_CHARACTERS_MAX],
        "time_expire": write_moment(order.expires_at),
    }


def link_content(order: PayInOrder) -> Content:
    """What the link asks for: no word of who pays."""
    return {**qr_content(order), "product_code": "QUICK_WAP_WAY"}


def read_opened(answer: Answer, order: PayInOrder, *, now: dt.datetime) -> PayInOutcome:
    """What the answer to precreate means. Whether its address is one to show is not looked at."""
    if not answer.is_success:
        refused = meaning_of(answer, PAY_IN)
        return Unknown("not_found_after_open") if isinstance(refused, NotFound) else refused
    if answer.text("out_trade_no") != order.number:
        return Unknown("echo_mismatch")
    return PayInOpened(answer.text("qr_code"), min(order.expires_at, now + QR_LASTS))


def read_trade(answer: Answer, order: PayInOrder, *, now: dt.datetime) -> PayInOutcome:
    """What Alipay knows of a trade.

    An unknown number waits for its payer as long as the order may be paid. A closed trade may have
    been paid and given back in full, which its time of payment shows.
    """
    if not answer.is_success:
        refused = meaning_of(answer, PAY_IN_QUERY)
        is_met_later = isinstance(refused, NotFound) and now < order.expires_at
        return PayInWaiting() if is_met_later else refused
    if answer.text("out_trade_no") != order.number:
        return Unknown("echo_mismatch")
    match answer.text("trade_status"):
        case "WAIT_BUYER_PAY":
            return PayInWaiting()
        case "TRADE_SUCCESS" | "TRADE_FINISHED":
            return _paid(answer, now)
        case "TRADE_CLOSED":
            return _paid(answer, now) if answer.text("send_pay_date") else PayInClosed()
        case _:
            return Unknown("state_unmapped")


def read_closed(answer: Answer, order: PayInOrder) -> PayInOutcome:
    """What the answer to a close means."""
    if not answer.is_success:
        return meaning_of(answer, PAY_IN_QUERY)
    is_ours = answer.text("out_trade_no") in {"", order.number}
    return PayInClosed() if is_ours else Unknown("echo_mismatch")


def _paid(answer: Answer, now: dt.datetime) -> PayInOutcome:
    reference, told = answer.text("trade_no"), answer.text("send_pay_date")
    try:
        amount = read_yuan(answer.text("total_amount"))
        paid_at = read_moment(told) if told else now
    except ValueError:
        return Unknown("unreadable")
    if not reference or not amount.is_positive:
        return Unknown("unreadable")
    return PayInPaid(reference, amount, paid_at)
