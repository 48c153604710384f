"""How APIv3 signs and encrypts, seen from WeChat Pay's side.

Source: pay.weixin.qq.com/doc/v3/merchant/4012365336 (requests), 4013053420 (answers and
notifications), 4012071382 (AEAD_AES_256_GCM), 4013053264 (sensitive fields).
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
AEAD: Final = "AEAD_AES_256_GCM"
PROBE_PREFIX: Final = "WECHATPAY/SIGNTEST/"
TIMESTAMP_TOLERANCE_S: Final = 300
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_OAEP_SHA1 = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 - theirs


class AuthorizationRefused(Exception):  # noqa: N818 - an answer of the channel
    """Why a request's signature is not taken, for people."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The five fields of an `Authorization` header."""

    mchid: str
    serial_no: str
    nonce_str: str
    timestamp: str
    signature: str

    @classmethod
    def parse(cls, header: str) -> Authorization:
        """Read the header.

        Raises:
            AuthorizationRefused: another scheme, or a field is missing or there twice.
        """
        scheme, _, rest = header.partition(" ")
        if scheme != SCHEME:
            raise AuthorizationRefused("the scheme is not WECHATPAY2-SHA256-RSA2048")
        found = _FIELD.findall(rest)
        fields = dict(found)
        if len(found) != len(fields) or set(fields) != set(cls.__slots__):
            raise AuthorizationRefused("the header has not its five fields")
        return cls(**fields)

    def require_valid(
        self, *, method: str, target: str, body: bytes, key: RSAPublicKey, now: float
    ) -> None:
        """Check time and signature.

        Raises:
            AuthorizationRefused: signed long ago, or not by this key, or over something else.
        """
        if not self.timestamp.isdecimal() or abs(now - int(self.timestamp)) > TIMESTAMP_TOLERANCE_S:
            raise AuthorizationRefused("the timestamp is not of these minutes")
        message = request_message(method, target, self.timestamp, self.nonce_str, body)
        if not is_signed(key, message, self.signature):
            raise AuthorizationRefused("the signature is wrong")


def request_message(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What a request's signature covers."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the signature of an answer or a notification covers."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """SHA256 with RSA, in Base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether the signature is this key's over this message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def signed_headers(key: RSAPrivateKey, key_id: str, body: bytes, *, now: float) -> dict[str, str]:
    """The headers that prove an answer or a notification."""
    timestamp, nonce = str(int(now)), secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(key, answer_message(timestamp, nonce, body)),
        "Wechatpay-Signature-Type": SCHEME,
        "Wechatpay-Serial": key_id,
    }


def encrypt_resource(apiv3_key: bytes, content: bytes, *, associated: str) -> dict[str, str]:
    """AES-256-GCM with the shared key, as certificates and notifications are sent."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(apiv3_key).encrypt(nonce.encode(), content, associated.encode())
    return {
        "algorithm": AEAD,
        "nonce": nonce,
        "associated_data": associated,
        "ciphertext": base64.b64encode(sealed).decode(),
    }


def decrypt_field(key: RSAPrivateKey, sealed: str) -> str:
    """A sensitive field of a request: RSA-OAEP with SHA-1, as the documents demand.

    Raises:
        ValueError: it was not sealed for this key.
    """
    return key.decrypt(base64.b64decode(sealed, validate=True), _OAEP_SHA1).decode()
