"""WeChat Pay for unit tests: a transport that answers what a test says, signed with a test's key."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kuaitui.channels.wechatpay import KeyMode, TransferScene, WeChatPayChannel, WeChatPaySettings
from kuaitui.channels.wechatpay.keys import WeChatKey

NOW = dt.datetime(2026, 3, 2, 4, 5, 6, tzinfo=dt.UTC)
MCHID = "1900000109"
APPID = "wxd678efh567hg6787"
KEY_ID = "PUB_KEY_ID_0000000000000024101100397200000006"
APIV3_KEY = b"0123456789abcdef0123456789ABCDEF"
HOST = "https://api.mch.weixin.qq.com"
NOTIFY_URL = "https://desk.example/callbacks/wechatpay"
SCENE = TransferScene("1011", (("赔付原因", "店铺保证金退还"),), "保证金退款", "退款")


@functools.cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name, made once for all tests of a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def settings(**changes: Any) -> WeChatPaySettings:
    plain = WeChatPaySettings(
        base_url=HOST,
        mchid=MCHID,
        appid=APPID,
        merchant_serial="5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        merchant_key=private_key("merchant"),
        apiv3_key=APIV3_KEY,
        key_mode=KeyMode.PUBLIC_KEY,
        wechatpay_keys={KEY_ID: WeChatKey(KEY_ID, private_key("wechat").public_key())},
        notify_url=NOTIFY_URL,
        transfer_scene=SCENE,
    )
    return replace(plain, **changes)


def certificate(
    name: str, *, serial: int, valid_from: dt.datetime = NOW - dt.timedelta(days=1), days: int = 30
) -> bytes:
    """A platform certificate of the key of that name, as PEM."""
    key = private_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(valid_from)
        .not_valid_after(valid_from + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def public_pem(name: str) -> bytes:
    key = private_key(name).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(
    body: bytes,
    *,
    key: str = "wechat",
    serial: str = KEY_ID,
    at: dt.datetime = NOW,
    nonce: str = "a nonce of WeChat Pay",
) -> dict[str, str]:
    """The four headers over a body."""
    timestamp = str(int(at.timestamp()))
    message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = private_key(key).sign(message, padding.PKCS1v15(), hashes.SHA256())
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Serial": serial,
    }


def sealed(content: bytes, *, key: bytes = APIV3_KEY, about: str = "refund") -> dict[str, str]:
    """A resource as WeChat Pay seals it."""
    nonce = "0123456789ab"
    text = AESGCM(key).encrypt(nonce.encode(), content, about.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(text).decode(),
        "nonce": nonce,
        "associated_data": about,
    }


Answer = Callable[[httpx.Request], httpx.Response]


def answer(document: Mapping[str, Any] | bytes = b"", status: int = 200, **sign: Any) -> Answer:
    """A signed answer, whatever is asked."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return lambda request: httpx.Response(status, content=body, headers=signed(body, **sign))


def unsigned(body: bytes, status: int = 200) -> Answer:
    return lambda request: httpx.Response(status, content=body)


def refusal(status: int, code: str) -> Answer:
    return answer({"code": code, "message": "王小明的余额不足"}, status)


class FakeWeChat(httpx.BaseTransport):
    """Gives the answers in turn and keeps the requests. More requests than answers is a failure."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        assert self._answers, f"nobody expected {request.method} {request.url.raw_path!r}"
        return self._answers.pop(0)(request)

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def channel(*answers: Answer, **changes: Any) -> tuple[WeChatPayChannel, FakeWeChat]:
    """The adapter at a fake that gives these answers in turn."""
    fake = FakeWeChat(*answers)
    adapter = WeChatPayChannel(
        settings(**changes),
        clock=lambda: NOW,
        nonce=lambda: "593BEC0C930BF1AFEB40B4A08C8FB242",
        transport=fake,
    )
    return adapter, fake
