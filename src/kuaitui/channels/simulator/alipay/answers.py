"""What the gateway writes back: an answer's member, its signature, and what faults make of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kuaitui.channels.simulator.alipay.keys import AlipayKey
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.wire_protocol import sign
from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.store import ChannelRefuses

CONTENT_TYPE: Final = "text/html;charset=utf-8"
GARBAGE: Final = b"<html>\xff not what you asked for"
NUMBERS: Final = ("out_trade_no", "trade_no", "out_request_no", "out_biz_no")
AMOUNTS: Final = ("refund_fee", "refund_amount", "trans_amount", "total_amount")


def member_of(method: str) -> str:
    """Under which name an answer stands; that of no method is an error's."""
    return f"{method.replace('.', '_')}_response" if method else "error_response"


def rendered(document: Mapping[str, Any]) -> str:
    """The signed part as it is written, with every slash escaped as Alipay does."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/")


def envelope(
    member: str, document: Mapping[str, Any], key: AlipayKey | None, faults: Faults
) -> bytes:
    """The whole body; without a key it is not signed."""
    if Fault.GARBAGE in faults:
        return GARBAGE
    text = rendered(document)
    parts = [f'"{member}":{text}']
    if key is not None and Fault.UNSIGNED not in faults:
        signed = "another answer" if Fault.BAD_SIGNATURE in faults else text
        if key.serial:
            parts.append(f'"alipay_cert_sn":"{key.serial}"')
        parts.append(f'"sign":"{sign(key.private, signed.encode())}"')
    return ("{" + ",".join(parts) + "}").encode()


def kept_out(fault: Fault, faults: Faults, method: str) -> ChannelRefuses | None:
    """How a request is refused that never gets in; nothing means that there is no answer."""
    match fault:
        case Fault.REFUSE:
            is_trade = method.startswith("alipay.trade.")
            usual = "ACQ.TRADE_NOT_ALLOW_REFUND" if is_trade else "PAYEE_NOT_EXIST"
            return refuse(faults.code(fault, usual), "模拟")
        case Fault.NOT_PERMITTED:
            return refuse("isv.insufficient-isv-permissions", "ISV权限不足")
        case Fault.ERROR_BEFORE:
            return refuse("isp.unknow-error", "系统繁忙")
        case Fault.BUSY_BEFORE:
            return _system_error(method)
    return None


def told_wrongly(faults: Faults, method: str) -> ChannelRefuses | None:
    """The error that stands in place of the right answer, if the faults want one."""
    if Fault.ERROR_AFTER in faults:
        return refuse("isp.unknow-error", "系统繁忙")
    if Fault.BUSY_AFTER in faults:
        return _system_error(method)
    if Fault.NEW_CODE in faults:
        return refuse("ACQ.CODE_OF_TOMORROW", "模拟")
    return None


def distorted(document: Mapping[str, Any], faults: Faults) -> Mapping[str, Any]:
    """An answer that speaks of another number or amount."""
    changed = dict(document)
    if Fault.OTHER_NUMBER in faults:
        changed |= {name: "somebodyelses" for name in NUMBERS if name in changed}
    if Fault.OTHER_AMOUNT in faults:
        changed |= {name: "0.01" for name in AMOUNTS if name in changed}
    return changed


def _system_error(method: str) -> ChannelRefuses:
    is_trade = method.startswith("alipay.trade.")
    return refuse("ACQ.SYSTEM_ERROR" if is_trade else "SYSTEM_ERROR", "系统繁忙")
