"""One call to WeChat Pay: signed by us, believed only when signed by it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from kuaitui.channels.port import NotSent, Unknown
from kuaitui.channels.wechatpay.keys import KeyRing, KeyUnusable, WeChatKey, read_certificate
from kuaitui.channels.wechatpay.sealing import SealedUnreadable, open_sealed, seal_field
from kuaitui.channels.wechatpay.settings import KeyMode, WeChatPaySettings
from kuaitui.channels.wechatpay.signing import Seal, Verdict, authorize, examine
from kuaitui.channels.wire import ANSWER_BYTES_MAX, Wire, WireReply
from kuaitui.kernel.clock import read_stopwatch_s

CERTIFICATES: Final = "/v3/certificates"
CERTIFICATES_MAX: Final = 20
SHORTEST_CALL_S: Final = 0.001
_CODE = re.compile(r"[0-9A-Z_]{1,48}")


class Deadline:
    """One deadline for all calls that an operation needs."""

    def __init__(self, seconds: float) -> None:
        self._ends_s = read_stopwatch_s() + seconds

    @property
    def left_s(self) -> float:
        """What is left of it; never nothing, since a call needs a number to fail by."""
        return max(self._ends_s - read_stopwatch_s(), SHORTEST_CALL_S)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose signature is right. An answer without a body has an empty document."""

    status: int
    document: Mapping[str, Any] = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether WeChat Pay did what it was asked."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """Its error code, if it is written like one. Its message is for people and not read."""
        code = str(self.document.get("code", ""))
        return code if _CODE.fullmatch(code) else ""

    def unmapped(self) -> Unknown:
        """The answer whose meaning is written down nowhere."""
        return Unknown(f"http_{self.status}_{self.code}".rstrip("_"))


class WeChatPayClient:
    """The signed line to WeChat Pay, with its keys.

    Thread-safe. In certificate mode an *answer* under an unknown serial makes it fetch the
    certificates, once for that answer; a notification never does.
    """

    def __init__(
        self,
        settings: WeChatPaySettings,
        *,
        clock: Callable[[], dt.datetime],
        nonce: Callable[[], str],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._nonce = nonce
        self._wire = Wire(settings.base_url, transport=transport)
        self.keys = KeyRing(settings.wechatpay_keys)

    def call(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        document: Mapping[str, Any] | None = None,
        serial: str = "",
    ) -> Reply | NotSent | Unknown:
        """Make one call. `serial` names the key that fields of the document are sealed with."""
        reply = self._send(method, path, render(document), serial, deadline)
        if not isinstance(reply, WireReply):
            return reply
        content = read_document(reply.content)
        if reply.status == 401 and content is not None and content.get("code") == "SIGN_ERROR":
            # Whose signature WeChat Pay does not accept gets an answer without one (签名).
            return Reply(reply.status, content)
        verdict = self._examine(reply, deadline)
        if verdict is not Verdict.GENUINE:
            return Unknown(verdict.value)
        return Unknown("unreadable") if content is None else Reply(reply.status, content)

    def download(
        self, path: str, *, deadline: Deadline, bytes_max: int
    ) -> bytes | NotSent | Unknown:
        """Fetch a file. WeChat Pay does not sign files: the caller holds the hash it announced."""
        reply = self._send("GET", path, b"", "", deadline, bytes_max=bytes_max)
        if not isinstance(reply, WireReply):
            return reply
        return reply.content if reply.status == 200 else Unknown(f"http_{reply.status}")

    def sealing_key(self, *, deadline: Deadline) -> WeChatKey | NotSent | Unknown:
        """The key to seal fields with; in certificate mode it may have to be fetched first."""
        if self._settings.key_mode is KeyMode.PUBLIC_KEY:
            key = self.keys.first_public_key(self._clock())
        else:
            key = self.keys.newest_certificate(self._clock())
            if key is None:
                trouble = self._fetch_certificates(deadline)
                if trouble is not None:
                    return trouble
                key = self.keys.newest_certificate(self._clock())
        # Nothing was sent of what the caller wants to send.
        return NotSent("sealing_key_missing") if key is None else key

    def seal(self, key: WeChatKey, text: str, *, number: str, name: str) -> str:
        """A field's text as only WeChat Pay can read it, the same for the same number and text."""
        secret = self._settings.apiv3_key
        return seal_field(key.public, text, secret=secret, context=f"{number}:{name}")

    def _send(
        self,
        method: str,
        path: str,
        body: bytes,
        serial: str,
        deadline: Deadline,
        **limits: int,
    ) -> WireReply | NotSent | Unknown:
        settings, now = self._settings, self._clock()
        authorization = authorize(
            mchid=settings.mchid,
            serial=settings.merchant_serial,
            key=settings.merchant_key,
            method=method,
            path=path,
            timestamp=int(now.timestamp()),
            nonce=self._nonce(),
            body=body,
        )
        headers = {
            "Authorization": authorization,
            "Accept": "*/*" if limits else "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "kuaitui",
        }
        if not serial and settings.key_mode is KeyMode.PUBLIC_KEY:
            key = self.keys.first_public_key(now)
            serial = key.serial if key is not None else ""
        if serial:
            headers["Wechatpay-Serial"] = serial
        return self._wire.call(
            method,
            path,
            content=body,
            headers=headers,
            deadline_s=deadline.left_s,
            answer_bytes_max=limits.get("bytes_max", ANSWER_BYTES_MAX),
        )

    def _examine(self, reply: WireReply, deadline: Deadline) -> Verdict:
        verdict = self._judge(reply)
        if verdict is Verdict.KEY_UNKNOWN and self._settings.key_mode is KeyMode.CERTIFICATE:
            self._fetch_certificates(deadline)
            verdict = self._judge(reply)
        return verdict

    def _judge(self, reply: WireReply, keys: KeyRing | None = None) -> Verdict:
        seal, now = Seal.read(reply.headers), self._clock()
        key = (keys or self.keys).find(seal.serial, now) if seal is not None else None
        return examine(seal, reply.content, key=key, now=now)

    def _fetch_certificates(self, deadline: Deadline) -> NotSent | Unknown | None:
        """Take in the certificates that WeChat Pay uses now; what is wrong, if anything is.

        They are sealed under our APIv3 key, so nobody else can have made them; the answer must
        besides be signed by one of them, or by one known before.
        """
        reply = self._send("GET", CERTIFICATES, b"", "", deadline)
        if not isinstance(reply, WireReply):
            return reply
        try:
            fresh = self._read_certificates(reply.content)
        except (KeyError, TypeError, KeyUnusable, SealedUnreadable):
            return Unknown(f"certificates_unreadable_{reply.status}")
        ring = KeyRing(fresh)
        if Verdict.GENUINE not in {self._judge(reply, ring), self._judge(reply)}:
            return Unknown("certificates_not_signed")
        self.keys.add(fresh)
        return None

    def _read_certificates(self, content: bytes) -> dict[str, WeChatKey]:
        document = read_document(content) or {}
        entries = document["data"][:CERTIFICATES_MAX]
        return {
            entry["serial_no"]: read_certificate(
                entry["serial_no"],
                open_sealed(self._settings.apiv3_key, entry["encrypt_certificate"]),
            )
            for entry in entries
        }


def render(document: Mapping[str, Any] | None) -> bytes:
    """A body, the same bytes for the same document; without a document there is no body."""
    if document is None:
        return b""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def read_document(content: bytes) -> dict[str, Any] | None:
    """The JSON object of a body; no body is an empty one, and None is what is no object."""
    if not content:
        return {}
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
