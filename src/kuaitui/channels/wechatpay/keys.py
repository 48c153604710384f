"""WeChat Pay's public keys by their serials, and the certificates that bring new ones."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ALWAYS: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


class KeyUnusable(ValueError):  # noqa: N818 - an answer, like a refusal
    """Not a key that WeChat Pay could sign with."""


@dataclass(frozen=True, slots=True)
class WeChatKey:
    """One public key of WeChat Pay. A certificate's has a beginning and an end."""

    serial: str
    public: RSAPublicKey
    valid_from: dt.datetime = ALWAYS
    valid_until: dt.datetime = NEVER

    @property
    def is_certificate(self) -> bool:
        """Whether it came with a certificate, and so ends some day."""
        return self.valid_until != NEVER

    def is_valid(self, now: dt.datetime) -> bool:
        """Whether it may be used at this moment."""
        return self.valid_from <= now < self.valid_until


def read_key(serial: str, pem: bytes) -> WeChatKey:
    """A key of WeChat Pay, whichever of its two forms the file has.

    Raises:
        KeyUnusable: neither of them.
    """
    is_certificate = b"-----BEGIN CERTIFICATE-----" in pem
    return (read_certificate if is_certificate else read_public_key)(serial, pem)


def read_public_key(serial: str, pem: bytes) -> WeChatKey:
    """A public key as the merchant platform gives it (`PUB_KEY_ID_…`).

    Raises:
        KeyUnusable: not a PEM of an RSA public key.
    """
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise KeyUnusable("not a PEM of a public key") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable("not an RSA key")
    return WeChatKey(serial, key)


def read_certificate(serial: str, pem: bytes) -> WeChatKey:
    """A platform certificate; it must carry the serial that it is announced by.

    Raises:
        KeyUnusable: not a certificate of an RSA key, or of another serial.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise KeyUnusable("not a PEM of a certificate") from None
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable("not an RSA key")
    if f"{certificate.serial_number:X}" != serial.upper().lstrip("0"):
        raise KeyUnusable("a certificate of another serial")
    return WeChatKey(serial, key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


class KeyRing:
    """The keys known at present. Threads may ask and add at the same time."""

    def __init__(self, keys: Mapping[str, WeChatKey]) -> None:
        self._keys = dict(keys)
        self._lock = threading.Lock()

    def find(self, serial: str, now: dt.datetime) -> RSAPublicKey | None:
        """The key of a serial, while it is valid."""
        with self._lock:
            key = self._keys.get(serial)
        return key.public if key is not None and key.is_valid(now) else None

    def first_public_key(self, now: dt.datetime) -> WeChatKey | None:
        """The public key to seal with: the first one of the settings."""
        return next((key for key in self._valid(now) if not key.is_certificate), None)

    def newest_certificate(self, now: dt.datetime) -> WeChatKey | None:
        """The certificate to seal with: the one that became valid last."""
        certificates = (key for key in self._valid(now) if key.is_certificate)
        return max(certificates, key=lambda key: key.valid_from, default=None)

    def _valid(self, now: dt.datetime) -> list[WeChatKey]:
        with self._lock:
            return [key for key in self._keys.values() if key.is_valid(now)]

    def add(self, keys: Mapping[str, WeChatKey]) -> None:
        """Take in keys that have been proven."""
        with self._lock:
            self._keys.update(keys)
