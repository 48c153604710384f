"""How the gateway signs, and how certificates are numbered, seen from Alipay's side.

Source: reference §1.3 (what is signed), §2.2 (serials, as python-alipay-sdk counts them).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import NameOID

SIGN_TYPE: Final = "RSA2"
_NAME_PARTS: Final = (
    ("CN", NameOID.COMMON_NAME),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("O", NameOID.ORGANIZATION_NAME),
    ("C", NameOID.COUNTRY_NAME),
)


def text_to_sign(fields: Mapping[str, str], *, without: Iterable[str] = ("sign",)) -> bytes:
    """What a signature covers: every field that says something, in order of its name.

    Requests count their `sign_type`; notifications leave it out too.
    """
    left_out = set(without)
    named = sorted(name for name, value in fields.items() if value and name not in left_out)
    return "&".join(f"{name}={fields[name]}" for name in named).encode()


def sign(key: RSAPrivateKey, text: bytes) -> str:
    """SHA256 with RSA, in Base64."""
    return base64.b64encode(key.sign(text, PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether the signature is this key's over this text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def serial_of(certificate: x509.Certificate) -> str:
    """A certificate's number: MD5 over its issuer's name and its serial in decimals."""
    issuer = certificate.issuer
    parts = [(part, issuer.get_attributes_for_oid(oid)[0].value) for part, oid in _NAME_PARTS]
    name = ",".join(f"{part}={value!s}" for part, value in parts)
    counted = f"{name}{certificate.serial_number}".encode()
    return hashlib.md5(counted, usedforsecurity=False).hexdigest()


def serial_of_all(certificates: Iterable[x509.Certificate]) -> str:
    """The number of a file of roots: those of all of them."""
    return "_".join(serial_of(certificate) for certificate in certificates)
