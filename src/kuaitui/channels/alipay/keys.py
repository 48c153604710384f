"""Keys and certificates as Alipay hands them out: PEM files, or bare base64 without its frame."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from kuaitui.kernel.errors import Refusal

FILE_BYTES_MAX: Final = 256 * 1024
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)
# Every signature algorithm of RSA. The bundle of roots holds SM2 roots too, which do not count.
_RSA_SIGNATURES: Final = "1.2.840.113549.1.1."


class AlipayKeyUnreadable(Refusal):
    """A key or certificate file of an Alipay channel cannot be read."""

    code = "channel.alipay.key_unreadable"


@dataclass(frozen=True, slots=True)
class AlipayKey:
    """A key that Alipay signs with. `serial` is its certificate's, or nothing in key mode."""

    public: RSAPublicKey
    serial: str = ""


def read_private_key(file: Path) -> RSAPrivateKey:
    """The application's own key (PKCS#1 or PKCS#8).

    Raises:
        AlipayKeyUnreadable: no RSA key is in the file.
    """
    content = _read(file)
    try:
        if content.startswith(b"-----"):
            key = serialization.load_pem_private_key(content, password=None)
        else:
            key = serialization.load_der_private_key(_unframed(content), password=None)
    except (ValueError, TypeError):
        raise AlipayKeyUnreadable(file=file.name) from None
    if not isinstance(key, RSAPrivateKey):
        raise AlipayKeyUnreadable(file=file.name)
    return key


def read_public_key(file: Path) -> AlipayKey:
    """Alipay's public key, for key mode.

    Raises:
        AlipayKeyUnreadable: no RSA key is in the file.
    """
    content = _read(file)
    try:
        if content.startswith(b"-----"):
            key = serialization.load_pem_public_key(content)
        else:
            key = serialization.load_der_public_key(_unframed(content))
    except ValueError:
        raise AlipayKeyUnreadable(file=file.name) from None
    if not isinstance(key, RSAPublicKey):
        raise AlipayKeyUnreadable(file=file.name)
    return AlipayKey(key)


def read_certificate(file: Path) -> AlipayKey:
    """Alipay's certificate, for certificate mode.

    Raises:
        AlipayKeyUnreadable: no certificate of an RSA key is in the file.
    """
    certificate = _certificates(file)[0]
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise AlipayKeyUnreadable(file=file.name)
    return AlipayKey(key, serial_of(certificate))


def read_serial(file: Path) -> str:
    """`app_cert_sn`: the serial of the application's certificate, as Alipay counts it.

    Raises:
        AlipayKeyUnreadable: no certificate is in the file.
    """
    return serial_of(_certificates(file)[0])


def read_root_serial(file: Path) -> str:
    """`alipay_root_cert_sn`: the serials of all RSA roots of the bundle, joined.

    Raises:
        AlipayKeyUnreadable: no RSA root is in the file.
    """
    roots = [
        root
        for root in _certificates(file)
        if root.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNATURES)
    ]
    if not roots:
        raise AlipayKeyUnreadable(file=file.name)
    return "_".join(serial_of(root) for root in roots)


def serial_of(certificate: x509.Certificate) -> str:
    """What Alipay calls the serial: the MD5 of the issuer's name followed by the serial number."""
    named = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()


def _certificates(file: Path) -> list[x509.Certificate]:
    try:
        found = [
            x509.load_pem_x509_certificate(block) for block in _CERTIFICATE.findall(_read(file))
        ]
    except ValueError:
        raise AlipayKeyUnreadable(file=file.name) from None
    if not found:
        raise AlipayKeyUnreadable(file=file.name)
    return found


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError:
        raise AlipayKeyUnreadable(file=file.name) from None
    if len(content) > FILE_BYTES_MAX:
        raise AlipayKeyUnreadable(file=file.name)
    return content.strip()


def _unframed(content: bytes) -> bytes:
    """The bytes of a key that is written as base64 alone, as Alipay's key tool writes it."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
