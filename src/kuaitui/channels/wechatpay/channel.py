"""The borders of a channel, spoken to WeChat Pay."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import httpx

from kuaitui.channels.port import (
    Acknowledgement,
    Arrival,
    ChannelCapabilities,
    IdentificationOutcome,
    Notification,
    NotificationRefused,
    OriginalPayment,
    PayeeAccount,
    PayeeKind,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayoutInstruction,
    QueryOutcome,
    Route,
    Statement,
    StatementKind,
    StatementOutcome,
    SubmitOutcome,
)
from kuaitui.channels.wechatpay.bills import read_bill
from kuaitui.channels.wechatpay.client import Deadline, WeChatPayClient
from kuaitui.channels.wechatpay.downloads import Downloads
from kuaitui.channels.wechatpay.identification import Identification
from kuaitui.channels.wechatpay.notifications import read_notification
from kuaitui.channels.wechatpay.pay_ins import PayIns
from kuaitui.channels.wechatpay.refunds import Refunds
from kuaitui.channels.wechatpay.settings import WeChatPaySettings
from kuaitui.channels.wechatpay.transfers import Transfers, transfer_limits

# Transfers can be asked about for 30 days. A day less, so that no clock's error matters.
REMEMBERED_FOR: Final = dt.timedelta(days=29)
REFUNDABLE_FOR: Final = dt.timedelta(days=365)
REFUNDS_PER_PAYMENT_MAX: Final = 50
BETWEEN_REFUNDS: Final = dt.timedelta(minutes=1)
CONFIRM_WITHIN: Final = dt.timedelta(hours=24)
"""Unconfirmed for that long, a transfer is closed and the money goes back (reference §1.2)."""
REFUND_ARRIVES: Final = Arrival(0, 3, ZoneInfo("Asia/Shanghai"))
"""Minutes into change, one to three working days onto a bank card; a payment does not tell us which
it was (reference §1.1). For transfers no time is declared."""
NOTHING_RETURNS: Final = dt.timedelta(0)
"""Neither a refund nor a transfer that succeeded ever leaves that state (reference §1.1, §1.2)."""


class WeChatPayChannel:
    """WeChat Pay for one merchant: money out, money in, and bills."""

    acknowledgement = Acknowledgement(status=204)

    def __init__(
        self,
        settings: WeChatPaySettings,
        *,
        clock: Callable[[], dt.datetime],
        name: str = "wechatpay",
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.capabilities = capabilities(settings)
        self._settings = settings
        self._clock = clock
        self._client = WeChatPayClient(settings, clock=clock, nonce=nonce, transport=transport)
        self._refunds = Refunds(settings, self._client)
        self._transfers = Transfers(settings, self._client)
        self._pay_ins = PayIns(settings, self._client)
        self._downloads = Downloads(settings, self._client)
        self._identification = (
            Identification(asked, appid=settings.appid, transport=transport)
            if (asked := settings.user_identification)
            else None
        )

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the instruction over: as a refund, or as a transfer to a user."""
        return self._way(instruction).submit(instruction, Deadline(deadline_s))

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of it."""
        return self._way(instruction).query(instruction, Deadline(deadline_s))

    def cancel(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Call a transfer back; a refund cannot be, so it is only asked about."""
        if isinstance(instruction.target, OriginalPayment):
            return self.query(instruction, deadline_s=deadline_s)
        return self._transfers.cancel(instruction, Deadline(deadline_s))

    def hand_over(
        self,
        instruction: PayoutInstruction,
        *,
        reference: str,
        payee: PayeeAccount,
        deadline_s: float,
    ) -> QueryOutcome:
        """Send a stuck refund to the payee's debit card, under its old number."""
        return self._refunds.hand_over(instruction, reference, payee, Deadline(deadline_s))

    def read_notification(
        self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
    ) -> Notification | NotificationRefused:
        """Of which number a notification speaks, or why it is not taken."""
        return read_notification(self._settings, self._client.keys, headers, body, now=now)

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let WeChat Pay wait for the payer."""
        return self._pay_ins.open(order, self._clock(), Deadline(deadline_s))

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Ask whether it was paid."""
        return self._pay_ins.query(order, Deadline(deadline_s))

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more."""
        return self._pay_ins.close(order, Deadline(deadline_s))

    def identification_page(self, *, state: str, return_to: str) -> str:
        """Where WeChat says who its user is, for whoever comes back to `return_to`."""
        return self._identifying().page(state=state, return_to=return_to)

    def identify(self, code: str, *, deadline_s: float) -> IdentificationOutcome:
        """The openid that belongs to a code."""
        return self._identifying().identify(code, deadline_s=deadline_s)

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        """One day's bill, exactly as it came, its hash checked."""
        return self._downloads.fetch(kind, day, self._clock(), Deadline(deadline_s))

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        """Read a bill's bytes.

        Raises:
            StatementRefused: not a whole, sound bill of this merchant.
        """
        return read_bill(kind, content, mchid=self._settings.mchid)

    def _identifying(self) -> Identification:
        assert self._identification is not None  # it declares that it identifies nobody
        return self._identification

    def _way(self, instruction: PayoutInstruction) -> Refunds | Transfers:
        is_refund = isinstance(instruction.target, OriginalPayment)
        return self._refunds if is_refund else self._transfers


def confirm_call(settings: WeChatPaySettings) -> tuple[tuple[str, str], ...]:
    """What `requestMerchantTransfer` wants to hear beside the package.

    Source: pay.weixin.qq.com/doc/v3/merchant/4012716430, JSAPI调起用户确认收款, its H5 example.
    """
    return (("mchId", settings.mchid), ("appId", settings.appid))


def capabilities(settings: WeChatPaySettings) -> ChannelCapabilities:
    """What this merchant can do. Without a transfer scene it pays nobody but along a payment."""
    transfers = settings.transfer_scene is not None
    return ChannelCapabilities(
        routes=frozenset(Route) if transfers else frozenset({Route.ORIGINAL}),
        not_found_floor=settings.not_found_floor,
        resend_window=REMEMBERED_FOR,
        return_window=NOTHING_RETURNS,
        payee_kinds=frozenset({PayeeKind.WECHAT_USER}) if transfers else frozenset(),
        original_window=REFUNDABLE_FOR,
        refunds_per_payment_max=REFUNDS_PER_PAYMENT_MAX,
        refund_interval=BETWEEN_REFUNDS,
        limits_designated=transfer_limits(settings),
        arrival_original=REFUND_ARRIVES,
        pay_in_methods=frozenset(PayInMethod),
        statement_kinds=frozenset(StatementKind),
        can_cancel=transfers,
        confirm_within=CONFIRM_WITHIN if transfers else None,
        confirm_page=settings.confirm_page,
        confirm_call=confirm_call(settings) if transfers else (),
        identifies_payees=transfers and settings.user_identification is not None,
        hands_over_abnormal=True,
    )
