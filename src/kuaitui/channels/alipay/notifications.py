"""Asynchronous notifications: a signed form, of which only a number is read.

A payment's and a refund's come to the address that was named with the payment. A transfer's comes as
a message to the application's own address (应用网关), which the merchant sets in Alipay's console: it
names its method, tells its time in milliseconds, and has the number within a JSON text.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl

from kuaitui.channels.alipay.formats import read_moment
from kuaitui.channels.alipay.settings import AlipaySettings
from kuaitui.channels.alipay.signing import SIGN_TYPE, is_signed, notification_text
from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)

FIELDS_MAX: Final = 100
# Alipay repeats itself over 25 hours; an hour is left for clocks that differ.
AGE_MAX: Final = dt.timedelta(hours=26)
CLOCKS_DIFFER_MAX: Final = dt.timedelta(hours=1)
METHOD: Final = "msg_method"
TRANSFER_CHANGED: Final = "alipay.fund.trans.order.changed"
_MILLISECONDS: Final = re.compile(r"\d{13}", re.ASCII)


def read_notification(
    body: bytes, settings: AlipaySettings, *, now: dt.datetime
) -> Notification | NotificationRefused:
    """Which of our numbers a notification speaks of. Its signature is looked at before its content.

    A notification of a refund carries the refund's number as `out_biz_no`; every other one speaks
    of the payment. A message is of a transfer, or not for us.
    """
    form = _form(body)
    if form is None:
        return NotificationRefused(RefusedBecause.UNREADABLE)
    signature = form.get("sign", "")
    genuine = form.get("sign_type") == SIGN_TYPE and is_signed(
        settings.alipay_keys, signature, notification_text(form)
    )
    if not genuine:
        return NotificationRefused(RefusedBecause.FORGED)
    is_message = METHOD in form
    # A message is sent to an application and names no seller.
    seller_id = settings.seller_id if is_message else form.get("seller_id")
    if (form.get("app_id"), seller_id) != (settings.app_id, settings.seller_id):
        return NotificationRefused(RefusedBecause.ANOTHER_MERCHANT)
    try:
        age = now - (_sent_at(form) if is_message else read_moment(form.get("notify_time", "")))
    except ValueError:
        return NotificationRefused(RefusedBecause.UNREADABLE)
    if not -CLOCKS_DIFFER_MAX <= age <= AGE_MAX:
        return NotificationRefused(RefusedBecause.STALE)
    return _message(form) if is_message else _told(form)


def _sent_at(form: dict[str, str]) -> dt.datetime:
    text = form.get("utc_timestamp", "")
    if _MILLISECONDS.fullmatch(text) is None:
        raise ValueError("not a time in milliseconds")
    return dt.datetime.fromtimestamp(int(text) / 1000, dt.UTC)


def _message(form: dict[str, str]) -> Notification | NotificationRefused:
    if form[METHOD] != TRANSFER_CHANGED:
        return NotificationRefused(RefusedBecause.NOT_FOR_US)
    event_id = form.get("notify_id", "")
    try:
        content: Any = json.loads(form.get("biz_content", ""))
        number = content["out_biz_no"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return NotificationRefused(RefusedBecause.UNREADABLE)
    if not event_id or not isinstance(number, str) or not number:
        return NotificationRefused(RefusedBecause.UNREADABLE)
    return Notification(event_id, NotificationSubject.PAYOUT, number)


def _told(form: dict[str, str]) -> Notification | NotificationRefused:
    event_id = form.get("notify_id", "")
    if event_id and (number := form.get("out_biz_no", "")):
        return Notification(event_id, NotificationSubject.PAYOUT, number)
    if event_id and (number := form.get("out_trade_no", "")):
        return Notification(event_id, NotificationSubject.PAY_IN, number)
    return NotificationRefused(RefusedBecause.UNREADABLE)


def _form(body: bytes) -> dict[str, str] | None:
    """The fields, or nothing where the body is not a form or a field stands twice."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        return None
    form = dict(pairs)
    return form if len(form) == len(pairs) else None
