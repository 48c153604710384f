"""One call of the gateway: a signed form out, a signed answer back.

Everything travels in the body, since addresses are written to logs on the way. The one address with
parameters is the link of a wap payment, which the payer's own browser opens.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import httpx

from kuaitui.channels.alipay.answers import Answer, read_answer
from kuaitui.channels.alipay.formats import write_moment
from kuaitui.channels.alipay.settings import AlipaySettings
from kuaitui.channels.alipay.signing import SIGN_TYPE, request_text, sign
from kuaitui.channels.port import NotSent, Unknown
from kuaitui.channels.wire import Wire

GATEWAY: Final = "/gateway.do"
BILL_BYTES_MAX: Final = 32 * 1024 * 1024
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}

Clock = Callable[[], dt.datetime]
Content = Mapping[str, object]


BILL_HOST: Final = "dwbillcenter.alipay.com"


def encrypted(url: str) -> str:
    """Alipay names the address of a bill without TLS, which the same host speaks as well.

    Source: the example of `alipay.data.dataservice.bill.downloadurl.query`.
    """
    plain = f"http://{BILL_HOST}/"
    return f"https://{BILL_HOST}/{url.removeprefix(plain)}" if url.startswith(plain) else url


class Gateway:
    """The line to Alipay for one application."""

    def __init__(
        self,
        settings: AlipaySettings,
        *,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wire = Wire(settings.base_url, transport=transport)

    def ask(
        self, method: str, content: Content, *, deadline_s: float, notifies: bool = False
    ) -> Answer | NotSent | Unknown:
        """Make one call. An answer is returned only if Alipay signed it."""
        extra = {"notify_url": self._settings.notify_url} if notifies else {}
        reply = self._wire.call(
            "POST",
            GATEWAY,
            content=urlencode(self._signed(method, content, extra)).encode(),
            headers=_FORM,
            deadline_s=deadline_s,
        )
        if isinstance(reply, NotSent | Unknown):
            return reply
        # The gateway answers 200 to everything; another status is not its own word.
        if reply.status != 200:
            return Unknown(f"http_{reply.status}")
        return read_answer(reply.content, method=method, keys=self._settings.alipay_keys)

    def link(self, method: str, content: Content, *, return_url: str) -> str:
        """An address that does the call when the payer opens it. Nobody is called here."""
        extra = {"notify_url": self._settings.notify_url, "return_url": return_url}
        query = urlencode(self._signed(method, content, extra))
        return f"{self._settings.base_url.rstrip('/')}{GATEWAY}?{query}"

    def download(self, url: str, *, deadline_s: float) -> bytes | NotSent | Unknown:
        """The bytes behind an address that a signed answer named."""
        url = encrypted(url)
        if not self.may_be_followed(url):
            return Unknown("address_not_safe")
        reply = self._wire.call("GET", url, deadline_s=deadline_s, answer_bytes_max=BILL_BYTES_MAX)
        if isinstance(reply, NotSent | Unknown):
            return reply
        return reply.content if reply.status == 200 else Unknown(f"http_{reply.status}")

    def may_be_followed(self, url: str) -> bool:
        """Encrypted, or the gateway itself (a simulator stands on the same host)."""
        try:
            there, here = urlsplit(url), urlsplit(self._settings.base_url)
        except ValueError:
            return False
        return bool(there.hostname) and (
            there.scheme == "https" or (there.scheme, there.netloc) == (here.scheme, here.netloc)
        )

    def _signed(self, method: str, content: Content, extra: Mapping[str, str]) -> dict[str, str]:
        parameters = {
            "app_id": self._settings.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": SIGN_TYPE,
            "timestamp": write_moment(self._clock()),
            "version": "1.0",
            "biz_content": write_content(content),
            **{name: value for name, value in extra.items() if value},
        }
        if self._settings.certificates is not None:
            parameters["app_cert_sn"] = self._settings.certificates.app_serial
            parameters["alipay_root_cert_sn"] = self._settings.certificates.root_serial
        signature = sign(self._settings.private_key, request_text(parameters))
        return {**parameters, "sign": signature}


def write_content(content: Content) -> str:
    """The business part of a request, the same text for the same content every time."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
