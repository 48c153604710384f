"""The simulated WeChat Pay's hand: notifications encrypted for the merchant and signed.

Source: pay.weixin.qq.com/doc/v3/merchant/4012791882 (payment), 4012791885 (refund), 4012712115
(transfer); repeats and probes as in the reference §1.1.
"""

from __future__ import annotations

import json
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from kuaitui.channels.simulator.notifier import Letter
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook
from kuaitui.channels.simulator.wechatpay.keys import KEY_BITS, Keys
from kuaitui.channels.simulator.wechatpay.times import HOUR_S, MINUTE_S, rfc3339
from kuaitui.channels.simulator.wechatpay.wire_protocol import (
    PROBE_PREFIX,
    encrypt_resource,
    signed_headers,
)

# What an event is called, and of what type its resource is.
EVENTS: Final = {
    "TRANSACTION.SUCCESS": ("支付成功", "transaction"),
    "REFUND.SUCCESS": ("退款成功", "refund"),
    "REFUND.ABNORMAL": ("退款异常", "refund"),
    "REFUND.CLOSED": ("退款关闭", "refund"),
    "MCHTRANSFER.BILL.FINISHED": ("商家转账单据终态通知", "mch_payment"),
}
HEARD: Final = (200, 204)


class WechatPayHand:
    """Writes notifications as WeChat Pay does."""

    repeats_s = (
        15, 15, 30, 3 * MINUTE_S, 10 * MINUTE_S, 20 * MINUTE_S, 30 * MINUTE_S, 30 * MINUTE_S,
        30 * MINUTE_S, 60 * MINUTE_S, 3 * HOUR_S, 3 * HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 6 * HOUR_S,
    )  # fmt: skip

    def __init__(self, book: WechatPayBook, keys: Keys) -> None:
        self._book = book
        self._keys = keys
        self._forger = generate_private_key(public_exponent=65537, key_size=KEY_BITS)

    def write(self, notification: dict[str, Any]) -> Letter:
        """Encrypt and sign; a disguise says what is wrong with it."""
        content = self._content(notification)
        key = self._keys.current(self._book.setting("key_mode", "public_key"))
        disguise = notification["disguise"]
        private = self._forger if disguise == "forged" else key.private
        now = self._book.wall_now() - (HOUR_S if disguise == "stale" else 0)
        headers = signed_headers(private, key.key_id, content, now=now)
        if disguise == "probe":
            headers["Wechatpay-Signature"] = PROBE_PREFIX + headers["Wechatpay-Signature"][:40]
        if disguise == "changed":
            content = content.replace(b'"encrypt-resource"', b'"encrypt-resource" ')
        headers |= {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        return Letter(notification["url"], content, headers)

    def is_heard(self, response: httpx.Response) -> bool:
        """200 or 204, nothing else."""
        return response.status_code in HEARD

    def _content(self, notification: dict[str, Any]) -> bytes:
        told = json.loads(notification["document"])
        summary, original_type = EVENTS[told["event_type"]]
        plain = json.dumps(told["resource"], ensure_ascii=False).encode()
        resource = encrypt_resource(self._keys.apiv3_key, plain, associated=original_type)
        document = {
            "id": notification["event"],
            "create_time": rfc3339(told["at"]),
            "resource_type": "encrypt-resource",
            "event_type": told["event_type"],
            "summary": summary,
            "resource": {"original_type": original_type, **resource},
        }
        return json.dumps(document, ensure_ascii=False).encode()
