"""The simulated WeChat Pay as a process of its own, and a client that nobody here wrote."""

from __future__ import annotations

import itertools
import json
import shutil
from typing import Any

from cryptography.x509 import load_pem_x509_certificate
from wechatpayv3 import WeChatPay, WeChatPayType

from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID
from tests.support.simulator import KEY, SimulatorProcess

TIMEOUT_S = (5, 10)
_numbers = itertools.count(1)


class WechatPayProcess(SimulatorProcess):
    name = "wechatpay"

    def director(self) -> WechatPayDirector:
        return WechatPayDirector(self.base_url, KEY.encode())

    def client(self, *, mode: str = "public_key", notify_url: str = "") -> WeChatPay:
        """The SDK in one of its two modes, set up from the files that the simulator made."""
        platform = self.keys / "platform"
        current = (platform / f"current_{mode}").read_text()
        if mode == "public_key":
            named = {"public_key_id": current}
            named |= {"public_key": (platform / f"{current}.pem").read_text()}
        else:
            folder = self.keys / "downloaded"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            shutil.copy(platform / f"{current}.pem", folder)
            named = {"cert_dir": str(folder)}
        client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=MCHID,
            appid=APPID,
            private_key=(self.keys / "merchant_key.pem").read_text(),
            cert_serial_no=self.merchant_serial,
            apiv3_key=(self.keys / "apiv3_key").read_text(),
            notify_url=notify_url or "https://merchant.invalid/notify",
            timeout=TIMEOUT_S,
            **named,
        )
        client._core._gate_way = self.base_url  # it has no other way to be pointed elsewhere
        return client

    @property
    def merchant_serial(self) -> str:
        file = self.keys / "merchant_certificate.pem"
        return f"{load_pem_x509_certificate(file.read_bytes()).serial_number:X}"


def a_number(prefix: str = "K") -> str:
    """A number that no other test of this run has."""
    return f"{prefix}{next(_numbers):015d}"


def read(answer: tuple[int, Any]) -> tuple[int, dict[str, Any]]:
    """What the SDK answered, with its document read."""
    status, content = answer
    return status, json.loads(content) if content else {}
