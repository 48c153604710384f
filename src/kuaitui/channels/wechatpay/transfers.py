"""To a WeChat user: 商家转账, which the payee confirms in the app.

Source: reference §1.2; pay.weixin.qq.com …/mch-trans/transfer-bill (2025-03-21).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    Accepted,
    AmountLimits,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    QueryOutcome,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.wechatpay.client import Deadline, Reply, WeChatPayClient
from kuaitui.channels.wechatpay.keys import WeChatKey
from kuaitui.channels.wechatpay.replies import (
    AnswerUnreadable,
    after_a_call,
    believe,
    is_fen,
    moment,
    reference,
    refused,
    refuses_us,
)
from kuaitui.channels.wechatpay.settings import CURRENCY, TRANSFER_MIN, WeChatPaySettings
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money

BILLS: Final = "/v3/fund-app/mch-transfer/transfer-bills"
NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,32}")
NAMED_FROM: Final = Money(200_000, CURRENCY)
PACKAGE_CHARACTERS_MAX: Final = 4096
NOT_FOUND: Final = frozenset({(404, "NOT_FOUND"), (404, "RESOURCE_NOT_EXISTS")})
# Of a refund it may be the payment that cannot be refunded; of a transfer it is what we wrote.
REFUSALS: Final = {
    (400, "INVALID_REQUEST"): FailedDefinite("INVALID_REQUEST", same_key_retry_ok=True),
}
_REASON = re.compile(r"[0-9A-Z_]{1,64}")


class Transfers:
    """Transfers to users."""

    def __init__(self, settings: WeChatPaySettings, client: WeChatPayClient) -> None:
        self._settings = settings
        self._client = client

    def submit(self, instruction: PayoutInstruction, deadline: Deadline) -> SubmitOutcome:
        """Make the transfer wait for the payee's confirmation."""
        if unfit := self._unfit(instruction):
            return FailedDefinite(unfit)
        serial, sealed_name = "", ""
        if instruction.amount >= NAMED_FROM:
            key = self._client.sealing_key(deadline=deadline)
            if not isinstance(key, WeChatKey):
                # The question for the key is another one: of the transfer nothing has left.
                return NotSent(key.cause)
            serial, sealed_name = key.serial, self._seal_name(key, instruction)
        document = render(self._settings, instruction, sealed_name)
        reply = self._client.call(
            "POST", BILLS, document=document, serial=serial, deadline=deadline
        )
        if not isinstance(reply, Reply):
            return reply
        if reply.is_success:
            return read_accepted(reply, instruction)
        return believe(refused(reply, also=REFUSALS), lambda: self.query(instruction, deadline))

    def query(self, instruction: PayoutInstruction, deadline: Deadline) -> QueryOutcome:
        """Ask how it stands. WeChat Pay knows the transfers of the last 30 days."""
        if NUMBER.fullmatch(instruction.number) is None:
            return Unknown("number_unfit")
        path = f"{BILLS}/out-bill-no/{instruction.number}"
        reply = self._client.call("GET", path, deadline=deadline)
        return reply if not isinstance(reply, Reply) else read_queried(reply, instruction)

    def cancel(self, instruction: PayoutInstruction, deadline: Deadline) -> QueryOutcome:
        """Call it back before the payee confirms, and ask how it stands then.

        WeChat Pay cancels later than it answers, so the answer itself decides nothing.
        """
        if NUMBER.fullmatch(instruction.number) is None:
            return Unknown("number_unfit")
        path = f"{BILLS}/out-bill-no/{instruction.number}/cancel"
        reply = self._client.call("POST", path, deadline=deadline)
        if not isinstance(reply, Reply):
            return reply
        if rejected := refuses_us(reply):
            return rejected
        standing = self.query(instruction, deadline)
        return after_a_call(standing) if isinstance(standing, NotSent) else standing

    def _seal_name(self, key: WeChatKey, instruction: PayoutInstruction) -> str:
        name = _payee(instruction).holder_name
        return self._client.seal(key, name, number=instruction.number, name="user_name")

    def _unfit(self, instruction: PayoutInstruction) -> str:
        """Why WeChat Pay could never take this; nothing was sent then."""
        payee = _payee(instruction)
        if self._settings.transfer_scene is None or payee.kind is not PayeeKind.WECHAT_USER:
            return "PAYEE_KIND_NOT_SUPPORTED"
        if NUMBER.fullmatch(instruction.number) is None:
            return "NUMBER_UNFIT"
        if instruction.amount.currency != CURRENCY:
            return "CURRENCY_NOT_SUPPORTED"
        limits = transfer_limits(self._settings)
        if limits.is_too_small(instruction.amount):
            return "AMOUNT_BELOW_MINIMUM"
        if limits.is_too_large(instruction.amount):
            return "AMOUNT_ABOVE_MAXIMUM"
        if instruction.amount >= NAMED_FROM and not payee.holder_name:
            return "HOLDER_NAME_MISSING"
        return ""


def transfer_limits(settings: WeChatPaySettings) -> AmountLimits:
    """How much one transfer may be: the floor is WeChat Pay's, the ceiling the console's."""
    return AmountLimits(smallest=TRANSFER_MIN, largest=settings.transfer_max)


def render(
    settings: WeChatPaySettings, instruction: PayoutInstruction, sealed_name: str
) -> dict[str, Any]:
    """The request of a transfer; the name is in it only from the amount that requires it."""
    scene = settings.transfer_scene
    assert scene is not None  # a channel without a scene declares no such payee
    name = {"user_name": sealed_name} if sealed_name else {}
    perception = {"user_recv_perception": scene.perception} if scene.perception else {}
    return {
        "appid": settings.appid,
        "out_bill_no": instruction.number,
        "transfer_scene_id": scene.scene_id,
        "openid": _payee(instruction).account_number,
        **name,
        "transfer_amount": instruction.amount.minor,
        "transfer_remark": scene.remark,
        "notify_url": settings.notify_url,
        **perception,
        "transfer_scene_report_infos": [
            {"info_type": kind, "info_content": content} for kind, content in scene.reports
        ],
    }


def read_accepted(reply: Reply, instruction: PayoutInstruction) -> SubmitOutcome:
    """How a transfer stands that was just handed over. Its answer repeats the number only."""
    if reply.document.get("out_bill_no") != instruction.number:
        return Unknown("echo_mismatch")
    return _read_state(reply.document)


def read_queried(reply: Reply, instruction: PayoutInstruction) -> QueryOutcome:
    """How a transfer stands, if the answer is about this very transfer."""
    if (reply.status, reply.code) in NOT_FOUND:
        return NotFound()
    if not reply.is_success:
        return refuses_us(reply) or reply.unmapped()
    document = reply.document
    openid = document.get("openid", _payee(instruction).account_number)
    is_ours = (
        document.get("out_bill_no") == instruction.number
        and is_fen(document.get("transfer_amount"), instruction.amount)
        and openid == _payee(instruction).account_number
    )
    return _read_state(document) if is_ours else Unknown("echo_mismatch")


def _read_state(document: Mapping[str, Any]) -> SubmitOutcome:
    try:
        bill_no = reference(document, "transfer_bill_no")
        match document.get("state"):
            case "ACCEPTED" | "PROCESSING":
                # Its money is not locked yet, and may never be by itself: 可原单重试.
                return Accepted(bill_no, wants_again=True)
            case "TRANSFERING" | "CANCELING":
                return Accepted(bill_no)
            case "WAIT_USER_CONFIRM":
                return NeedsAction(NeededAction.USER_CONFIRM, bill_no, _package(document))
            case "SUCCESS" if "update_time" not in document:
                # The answer to a repeated send does not say when: the next question will.
                return Accepted(bill_no)
            case "SUCCESS":
                return Succeeded(bill_no, moment(document, "update_time"))
            case "FAIL":
                return FailedDefinite(_fail_reason(document))
            case "CANCELLED":
                return FailedDefinite("CANCELLED")
            case _:
                return Unknown("state_unmapped")
    except AnswerUnreadable:
        return Unknown("unreadable")


def _package(document: Mapping[str, Any]) -> str:
    """What the payee's app opens the confirm page with; only the answer to a send has it."""
    package = document.get("package_info", "")
    is_fit = isinstance(package, str) and len(package) <= PACKAGE_CHARACTERS_MAX
    return package if is_fit else ""


def _fail_reason(document: Mapping[str, Any]) -> str:
    reason = str(document.get("fail_reason", ""))
    return reason if _REASON.fullmatch(reason) else "FAIL"


def _payee(instruction: PayoutInstruction) -> PayeeAccount:
    ensure(isinstance(instruction.target, PayeeAccount), "a transfer goes to an account")
    assert isinstance(instruction.target, PayeeAccount)  # for the type checker
    return instruction.target
