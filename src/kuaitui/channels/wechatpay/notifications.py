"""What WeChat Pay tells unasked: verified first, then opened, and then only its number read.

Source: reference §1.1, "Notifications" and "Signature probes".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from kuaitui.channels.wechatpay.client import read_document
from kuaitui.channels.wechatpay.keys import KeyRing
from kuaitui.channels.wechatpay.sealing import SealedUnreadable, open_sealed
from kuaitui.channels.wechatpay.settings import WeChatPaySettings
from kuaitui.channels.wechatpay.signing import Seal, Verdict, examine

BODY_BYTES_MAX: Final = 64 * 1024
WORD_CHARACTERS_MAX: Final = 64
REFUSED: Final[Mapping[Verdict, RefusedBecause]] = {
    Verdict.MISSING: RefusedBecause.FORGED,
    Verdict.KEY_UNKNOWN: RefusedBecause.FORGED,
    Verdict.WRONG: RefusedBecause.FORGED,
    Verdict.PROBE: RefusedBecause.PROBE,
    Verdict.STALE: RefusedBecause.STALE,
}
# Where an event's resource has our number, and where the merchant's.
EVENTS: Final[Mapping[str, tuple[NotificationSubject, str, str]]] = {
    "TRANSACTION.SUCCESS": (NotificationSubject.PAY_IN, "out_trade_no", "mchid"),
    "REFUND.SUCCESS": (NotificationSubject.PAYOUT, "out_refund_no", "mchid"),
    "REFUND.ABNORMAL": (NotificationSubject.PAYOUT, "out_refund_no", "mchid"),
    "REFUND.CLOSED": (NotificationSubject.PAYOUT, "out_refund_no", "mchid"),
    "MCHTRANSFER.BILL.FINISHED": (NotificationSubject.PAYOUT, "out_bill_no", "mch_id"),
}


def read_notification(
    settings: WeChatPaySettings,
    keys: KeyRing,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: dt.datetime,
) -> Notification | NotificationRefused:
    """Of which number a notification speaks. It causes no traffic, whoever made it."""
    if len(body) > BODY_BYTES_MAX:
        return NotificationRefused(RefusedBecause.UNREADABLE)
    seal = Seal.read(headers)
    key = keys.find(seal.serial, now) if seal is not None else None
    verdict = examine(seal, body, key=key, now=now)
    if verdict is not Verdict.GENUINE:
        return NotificationRefused(REFUSED[verdict])
    told = _read(settings, body)
    return told if told is not None else NotificationRefused(RefusedBecause.UNREADABLE)


def _read(settings: WeChatPaySettings, body: bytes) -> Notification | NotificationRefused | None:
    document = read_document(body) or {}
    event_id = _word(document, "id")
    event_type = _word(document, "event_type")
    if not event_id or not event_type:
        return None
    if event_type not in EVENTS:
        return NotificationRefused(RefusedBecause.NOT_FOR_US)
    try:
        resource = read_document(open_sealed(settings.apiv3_key, document.get("resource"))) or {}
    except SealedUnreadable:
        return None
    subject, number_name, merchant_name = EVENTS[event_type]
    number, merchant = _word(resource, number_name), _word(resource, merchant_name)
    if not number or not merchant:
        return None
    if merchant != settings.mchid:
        return NotificationRefused(RefusedBecause.ANOTHER_MERCHANT)
    return Notification(event_id, subject, number)


def _word(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) and len(value) <= WORD_CHARACTERS_MAX else ""
