"""The simulated Alipay's hand: notifications as signed forms, repeated for 25 hours.

Source: reference §1.3 (form, signature, repeats, the word `success`).
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import APP_ID, KEY_BITS, Keys
from kuaitui.channels.simulator.alipay.times import DAY_S, HOUR_S, MINUTE_S, written
from kuaitui.channels.simulator.alipay.wire_protocol import SIGN_TYPE, sign, text_to_sign
from kuaitui.channels.simulator.notifier import Letter

HEARD: Final = b"success"
STALE_S: Final = 2 * DAY_S
NOT_COUNTED: Final = ("sign", "sign_type")


class AlipayHand:
    """Writes notifications as Alipay does."""

    repeats_s = (
        4 * MINUTE_S, 10 * MINUTE_S, 10 * MINUTE_S, HOUR_S, 2 * HOUR_S, 6 * HOUR_S, 15 * HOUR_S,
    )  # fmt: skip

    def __init__(self, book: AlipayBook, keys: Keys) -> None:
        self._book = book
        self._keys = keys
        self._forger = generate_private_key(public_exponent=65537, key_size=KEY_BITS)

    def write(self, notification: dict[str, Any]) -> Letter:
        """Sign; a disguise says what is wrong with it. `notify_id` stays the same in repeats."""
        told, disguise = json.loads(notification["document"]), notification["disguise"]
        resource = dict(told["resource"])
        key = self._keys.current(resource.pop("mode"))
        at = self._book.wall_now() - (STALE_S if disguise == "stale" else 0)
        fields = {
            "notify_id": notification["event"].replace("-", ""),
            "notify_time": written(at),
            "notify_type": told["event_type"],
            "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "charset": "utf-8",
            "version": "1.0",
            "sign_type": SIGN_TYPE,
            **resource,
        }
        private = self._forger if disguise == "forged" else key.private
        fields["sign"] = sign(private, text_to_sign(fields, without=NOT_COUNTED))
        if disguise == "changed":
            fields["total_amount"] = "9" + fields["total_amount"]
        form = "application/x-www-form-urlencoded; charset=utf-8"
        content = urlencode(fields).encode()
        return Letter(notification["url"], content, {"Content-Type": form})

    def is_heard(self, response: httpx.Response) -> bool:
        """The one word, nothing else."""
        return response.is_success and response.content.strip() == HEARD
