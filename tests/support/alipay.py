"""Alipay's side of the wire for tests: its keys, its signatures, and answers in its own form."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from kuaitui.channels.alipay import AlipayChannel, AlipaySettings
from kuaitui.channels.alipay.keys import AlipayKey
from kuaitui.channels.alipay.settings import Certificates

APP_ID = "2021000000000001"
SELLER_ID = "2088000000000001"
NOW = dt.datetime(2026, 11, 25, 12, 0, 0, tzinfo=dt.UTC)
APP_SERIAL, ROOT_SERIAL, ALIPAY_SERIAL = "a" * 32, f"{'b' * 32}_{'c' * 32}", "d" * 32
DEADLINE_S = 5.0


@functools.cache
def private_key(whose: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed_by(whose: str, text: bytes) -> str:
    raw = private_key(whose).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(raw).decode()


def is_signed_by(whose: str, text: bytes, signature: str) -> bool:
    private_key(whose).public_key().verify(
        base64.b64decode(signature), text, padding.PKCS1v15(), hashes.SHA256()
    )
    return True


def pem(whose: str) -> bytes:
    return private_key(whose).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(whose: str) -> bytes:
    return (
        private_key(whose)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def certificate(whose: str, *, issuer: Mapping[str, str], serial: int) -> bytes:
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "CN": NameOID.COMMON_NAME,
    }
    name = x509.Name([x509.NameAttribute(oids[kind], told) for kind, told in issuer.items()])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key(whose).public_key())
        .serial_number(serial)
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=365))
        .sign(private_key(whose), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def settings(*, with_certificates: bool = True, **changes: Any) -> AlipaySettings:
    given: dict[str, Any] = {
        "app_id": APP_ID,
        "seller_id": SELLER_ID,
        "private_key": private_key("app"),
        "alipay_keys": (
            AlipayKey(
                private_key("alipay").public_key(), ALIPAY_SERIAL if with_certificates else ""
            ),
        ),
        "certificates": Certificates(APP_SERIAL, ROOT_SERIAL) if with_certificates else None,
        "base_url": "https://gateway.test",
        "notify_url": "https://desk.test/callbacks/alipay",
    }
    return AlipaySettings(**{**given, **changes})


def written(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def answer(
    method: str,
    text: str,
    *,
    signer: str = "alipay",
    serial: str | None = ALIPAY_SERIAL,
    is_signed: bool = True,
    member: str = "",
) -> bytes:
    """A body as the gateway writes it; `text` is the signed part, as it shall stand there."""
    parts = [f'"{member or method.replace(".", "_") + "_response"}":{text}']
    if serial is not None:
        parts.append(f'"alipay_cert_sn":"{serial}"')
    if is_signed:
        parts.append(f'"sign":"{signed_by(signer, text.encode())}"')
    return ("{" + ",".join(parts) + "}").encode()


def success(**fields: object) -> dict[str, object]:
    return {"code": "10000", "msg": "Success", **fields}


def failure(sub_code: str, *, code: str = "40004") -> dict[str, object]:
    return {"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "…"}


@dataclass
class Call:
    """One request as it arrived, its signature checked."""

    url: str
    form: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        found = json.loads(self.form["biz_content"])
        assert isinstance(found, dict)
        return found


@dataclass
class StandIn:
    """A gateway that checks every request's signature and answers as it is told, method by method."""

    answers: dict[str, Callable[[Call], bytes | httpx.Response]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    serial: str | None = ALIPAY_SERIAL
    downloads: Mapping[str, httpx.Response | Callable[[httpx.Request], httpx.Response]] = field(
        default_factory=dict
    )

    def will_answer(self, method: str, fields: Mapping[str, object]) -> None:
        self.answers[method] = lambda _: answer(method, written(fields), serial=self.serial)

    def will_send(self, method: str, body: bytes, *, status: int = 200) -> None:
        self.answers[method] = lambda _: httpx.Response(status, content=body)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            found = self.downloads[str(request.url)]
            return found if isinstance(found, httpx.Response) else found(request)
        form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
        signature = form.pop("sign")
        text = "&".join(f"{name}={form[name]}" for name in sorted(form))
        assert is_signed_by("app", text.encode(), signature)
        call = Call(str(request.url), form, request.content)
        self.calls.append(call)
        told = self.answers[form["method"]](call)
        return told if isinstance(told, httpx.Response) else httpx.Response(200, content=told)

    def channel(self, *, with_certificates: bool = True, **changes: Any) -> AlipayChannel:
        if not with_certificates:
            self.serial = None
        return AlipayChannel(
            settings(with_certificates=with_certificates, **changes),
            clock=lambda: NOW,
            transport=httpx.MockTransport(self.handle),
        )


def notification(*, signer: str = "alipay", **changes: str) -> bytes:
    """A notification of a payment, signed; a field changed to nothing is left out."""
    form = {
        "app_id": APP_ID,
        "charset": "utf-8",
        "notify_id": "2026112500222150000001",
        "notify_time": "2026-11-25 20:00:00",
        "notify_type": "trade_status_sync",
        "out_trade_no": "payin_1",
        "seller_id": SELLER_ID,
        "sign_type": "RSA2",
        "subject": "店铺保证金",
        "total_amount": "1000.00",
        "trade_no": "2026112522001",
        "trade_status": "TRADE_SUCCESS",
        "version": "1.0",
        **changes,
    }
    form = {name: value for name, value in form.items() if value}
    counted = sorted(set(form) - {"sign_type"})
    text = "&".join(f"{name}={form[name]}" for name in counted)
    return urlencode({**form, "sign": signed_by(signer, text.encode())}).encode()


def message(*, signer: str = "alipay", **changes: str) -> bytes:
    """A message of a transfer to the application's address, signed as a notification is."""
    content = {"out_biz_no": "leg1", "order_id": "20261125110070000006", "status": "SUCCESS"}
    form = {
        "notify_type": "",
        "notify_time": "",
        "seller_id": "",
        "out_trade_no": "",
        "trade_no": "",
        "trade_status": "",
        "total_amount": "",
        "subject": "",
        "msg_method": "alipay.fund.trans.order.changed",
        "utc_timestamp": f"{NOW.timestamp() * 1000:.0f}",
        "version": "1.1",
        "biz_content": json.dumps(content),
        **changes,
    }
    return notification(signer=signer, **form)


def kept(directory: Path, name: str, content: bytes) -> str:
    file = directory / name
    file.write_bytes(content)
    return str(file)
