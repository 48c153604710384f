"""RSA2: SHA-256 with RSA (PKCS#1 v1.5) over the sorted parameters, in base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from kuaitui.channels.alipay.keys import AlipayKey

SIGN_TYPE: Final = "RSA2"


def request_text(parameters: Mapping[str, str]) -> bytes:
    """What is signed of a request: everything but the signature itself; `sign_type` counts."""
    return _text(parameters, without={"sign"})


def notification_text(parameters: Mapping[str, str]) -> bytes:
    """What is signed of a notification: neither `sign` nor `sign_type` counts."""
    return _text(parameters, without={"sign", "sign_type"})


def _text(parameters: Mapping[str, str], *, without: set[str]) -> bytes:
    pairs = (
        f"{name}={value}"
        for name, value in sorted(parameters.items())
        if value and name not in without
    )
    return "&".join(pairs).encode()


def sign(key: RSAPrivateKey, text: bytes) -> str:
    """The signature in base64."""
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def is_signed(keys: Iterable[AlipayKey], signature: str, text: bytes) -> bool:
    """Whether one of the keys signed exactly these bytes."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(_fits(key, raw, text) for key in keys)


def _fits(key: AlipayKey, signature: bytes, text: bytes) -> bool:
    try:
        key.public.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
