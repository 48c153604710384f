"""Who says it: signatures on our requests, and on what WeChat Pay answers and tells us.

Both sides sign with RSA PKCS#1 v1.5 over SHA-256.

Source: pay.weixin.qq.com/doc/v3/merchant/4012365336 (requests), 4013053420 (answers, freshness).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
FRESH_FOR: Final = dt.timedelta(minutes=5)
PROBE_PREFIX: Final = "WECHATPAY/SIGNTEST/"
TIMESTAMP_DIGITS_MAX: Final = 12
HEADER_CHARACTERS_MAX: Final = 1024


def authorize(
    *,
    mchid: str,
    serial: str,
    key: RSAPrivateKey,
    method: str,
    path: str,
    timestamp: int,
    nonce: str,
    body: bytes,
) -> str:
    """The `Authorization` header of one request. `path` carries its query as it is sent."""
    message = f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
    signature = base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    return (
        f'{SCHEME} mchid="{mchid}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{timestamp}",serial_no="{serial}"'
    )


class Verdict(enum.StrEnum):
    """What a signature turns out to be."""

    GENUINE = "genuine"
    MISSING = "signature_missing"
    KEY_UNKNOWN = "signature_key_unknown"
    WRONG = "signature_wrong"
    PROBE = "signature_probe"
    STALE = "signature_stale"


@dataclass(frozen=True, slots=True)
class Seal:
    """The four headers by which WeChat Pay signs an answer or a notification."""

    timestamp: str
    nonce: str
    signature: str
    serial: str

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Seal | None:
        """The seal, whatever the case of the headers' names; None when it is not complete."""
        found = {name.lower(): value for name, value in headers.items()}
        names = ("timestamp", "nonce", "signature", "serial")
        parts = [found.get(f"wechatpay-{name}", "") for name in names]
        if not all(0 < len(part) <= HEADER_CHARACTERS_MAX for part in parts):
            return None
        return cls(*parts)


def examine(
    seal: Seal | None, body: bytes, *, key: RSAPublicKey | None, now: dt.datetime
) -> Verdict:
    """Judge a seal over a body with the key that its serial names.

    A probe is a signature that WeChat Pay itself makes wrong, to see whether anybody looks.
    """
    if seal is None:
        return Verdict.MISSING
    if seal.signature.startswith(PROBE_PREFIX):
        return Verdict.PROBE
    if key is None:
        return Verdict.KEY_UNKNOWN
    if not _is_signed(seal, body, key):
        return Verdict.WRONG
    return Verdict.GENUINE if _is_fresh(seal.timestamp, now) else Verdict.STALE


def _is_signed(seal: Seal, body: bytes, key: RSAPublicKey) -> bool:
    message = f"{seal.timestamp}\n{seal.nonce}\n".encode() + body + b"\n"
    try:
        signature = base64.b64decode(seal.signature, validate=True)
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _is_fresh(timestamp: str, now: dt.datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        return False
    return abs(int(now.timestamp()) - int(timestamp)) <= FRESH_FOR.total_seconds()
