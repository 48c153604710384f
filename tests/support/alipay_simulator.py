"""The simulated Alipay as a process of its own, and a client that nobody here wrote."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from alipay import AliPay, AliPayConfig, DCAliPay

from kuaitui.channels.simulator.alipay.director import AlipayDirector
from kuaitui.channels.simulator.alipay.keys import APP_ID, CERTIFICATE_MODE, KEY_MODE
from tests.support.simulator import KEY, SimulatorProcess

TIMEOUT_S = 10
PAYEE_ID = "2088000000000042"
_numbers = itertools.count(1)


class AlipayProcess(SimulatorProcess):
    name = "alipay"

    def director(self) -> AlipayDirector:
        return AlipayDirector(self.base_url, KEY.encode())

    def client(self, mode: str = CERTIFICATE_MODE, *, notify_url: str = "") -> AliPay | DCAliPay:
        """The SDK in one of its two modes, set up from the files that the simulator made."""
        common = {
            "appid": APP_ID,
            "app_notify_url": notify_url or None,
            "app_private_key_string": self.read("app_private_key.pem"),
        }
        current = self.read(f"alipay/current_{mode}")
        if mode == KEY_MODE:
            client = AliPay(
                alipay_public_key_string=self.read(f"alipay/{current}.pem"),
                config=AliPayConfig(timeout=TIMEOUT_S),
                **common,
            )
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                client = DCAliPay(
                    app_public_key_cert_string=self.read("app_certificate.crt"),
                    alipay_public_key_cert_string=self.read(f"alipay/{current}.crt"),
                    alipay_root_cert_string=self.read("alipay_root_certificates.crt"),
                    **common,
                )
                client.build_body("numbers of certificates are counted once", {})
        client._gateway = f"{self.base_url}/gateway.do"  # it has no other way to be sent elsewhere
        return client

    def read(self, name: str) -> str:
        return (self.keys / name).read_text()


def a_number(prefix: str = "K") -> str:
    """A number that no other test of this run has."""
    return f"{prefix}{next(_numbers):015d}"


def raw(client: AliPay, method: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the gateway really said, before the SDK judges it."""
    data = client.build_body(method, content or {})
    address = f"{client._gateway}?{client.sign_data(data)}"
    with urlopen(address, timeout=TIMEOUT_S) as answer:
        return json.loads(answer.read())


def form_of(body: bytes) -> tuple[dict[str, str], str]:
    """A notification's fields without its signature, and the signature."""
    fields = dict(parse_qsl(body.decode()))
    return fields, fields.pop("sign")
