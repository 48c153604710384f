"""The keys of the simulated Alipay and of its one application, as files that are made once."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

from kuaitui.channels.simulator.alipay.wire_protocol import serial_of, serial_of_all

APP_ID: Final = "2021000000000001"
SELLER_ID: Final = "2088000000000001"
KEY_MODE: Final = "public_key"
CERTIFICATE_MODE: Final = "certificate"
KEY_BITS: Final = 2048
CERTIFICATE_VALID: Final = dt.timedelta(days=5 * 365)
PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class AlipayKey:
    """One key of Alipay's, with what the merchant knows it by."""

    private: RSAPrivateKey
    file: Path
    """The public key of key mode, or the certificate of certificate mode."""
    serial: str
    """The certificate's number; nothing in key mode."""


class Keys:
    """A folder of keys. What is not there is made; nothing is ever replaced.

    For the merchant: `app_private_key.pem`, `app_certificate.crt`, `alipay_root_certificates.crt`,
    and of Alipay's own keys `alipay/ID.pem` (key mode) or `alipay/ID.crt` (certificate mode), where
    `alipay/current_public_key` and `alipay/current_certificate` hold the ID in use.
    """

    def __init__(self, folder: Path, *, now: dt.datetime) -> None:
        self.folder = folder
        self._alipay = folder / "alipay"
        # Reading a private key checks its numbers, which takes longer than a whole call should.
        self._read_before: dict[str, AlipayKey] = {}
        self._alipay.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.root_certificates_file.exists():
            self._make(now)
        self.app_serial = serial_of(_certificate(self.app_certificate_file))
        self.root_serial = serial_of_all(
            x509.load_pem_x509_certificates(self.root_certificates_file.read_bytes())
        )
        self.app_key = _private_key(self.app_private_key_file).public_key()

    @property
    def app_private_key_file(self) -> Path:
        """The application's private key."""
        return self.folder / "app_private_key.pem"

    @property
    def app_certificate_file(self) -> Path:
        """The application's certificate."""
        return self.folder / "app_certificate.crt"

    @property
    def root_certificates_file(self) -> Path:
        """Alipay's root certificates, one after the other."""
        return self.folder / "alipay_root_certificates.crt"

    def current(self, mode: str) -> AlipayKey:
        """Alipay's key in use, in either mode."""
        key_id = self._current_file(mode).read_text()
        if key_id not in self._read_before:
            self._read_before[key_id] = self._read(mode, key_id)
        return self._read_before[key_id]

    def rotate(self, mode: str, *, now: dt.datetime) -> Path:
        """Make a new key for that mode and use it from now on; the file that the merchant needs.

        Raises:
            ValueError: there is no such mode.
        """
        private, key_id = _new_key(), secrets.token_hex(8)
        if mode == KEY_MODE:
            content = private.public_key().public_bytes(
                PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        elif mode == CERTIFICATE_MODE:
            root = _private_key(self._root_key_file)
            certificate = _certify(
                private, _NAMES["alipay"], issuer=_NAMES["root 1"], signer=root, now=now
            )
            content = certificate.public_bytes(PEM)
        else:
            raise ValueError(f"there is no such mode: {mode}")
        file = self._file_of(mode, key_id)
        _write(file, content)
        _write(self._alipay / f"{key_id}.key", _pem(private))
        _write(self._current_file(mode), key_id.encode())
        return file

    @property
    def _root_key_file(self) -> Path:
        return self._alipay / "root.key"

    def _current_file(self, mode: str) -> Path:
        return self._alipay / f"current_{mode}"

    def _file_of(self, mode: str, key_id: str) -> Path:
        return self._alipay / (f"{key_id}.pem" if mode == KEY_MODE else f"{key_id}.crt")

    def _read(self, mode: str, key_id: str) -> AlipayKey:
        file = self._file_of(mode, key_id)
        serial = "" if mode == KEY_MODE else serial_of(_certificate(file))
        return AlipayKey(_private_key(self._alipay / f"{key_id}.key"), file, serial)

    def _make(self, now: dt.datetime) -> None:
        """Everything; the roots come last, so that what was interrupted is made again."""
        app, roots = _new_key(), {name: _new_key() for name in ("root 1", "root 2")}
        issuer, signer = _NAMES["root 1"], roots["root 1"]
        certificate = _certify(app, _NAMES["app"], issuer=issuer, signer=signer, now=now)
        _write(self.app_private_key_file, _pem(app))
        _write(self.app_certificate_file, certificate.public_bytes(PEM))
        _write(self._root_key_file, _pem(signer))
        for mode in (KEY_MODE, CERTIFICATE_MODE):
            self.rotate(mode, now=now)
        bundle = [
            _certify(key, _NAMES[name], issuer=_NAMES[name], signer=key, now=now).public_bytes(PEM)
            for name, key in roots.items()
        ]
        _write(self.root_certificates_file, b"\n".join(bundle))


def _named(organization: str, unit: str, name: str) -> x509.Name:
    parts: Mapping[x509.ObjectIdentifier, str] = {
        NameOID.COUNTRY_NAME: "CN",
        NameOID.ORGANIZATION_NAME: organization,
        NameOID.ORGANIZATIONAL_UNIT_NAME: unit,
        NameOID.COMMON_NAME: name,
    }
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


_NAMES: Final = {
    "root 1": _named("Simulated Financial", "Certification Authority", "Simulated Root R1"),
    "root 2": _named("Simulated Financial", "Certification Authority", "Simulated Root R2"),
    "alipay": _named("Simulated Alipay", "Alipay", "Simulated Alipay Certificate"),
    "app": _named("Simulated Marketplace", "Alipay", f"{SELLER_ID}-{APP_ID}"),
}


def _new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _certify(
    key: RSAPrivateKey,
    subject: x509.Name,
    *,
    issuer: x509.Name,
    signer: RSAPrivateKey,
    now: dt.datetime,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_VALID)
        .sign(signer, hashes.SHA256())
    )


def _pem(private: RSAPrivateKey) -> bytes:
    return private.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private_key(file: Path) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    return cast("RSAPrivateKey", key)


def _certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, and for the owner's eyes only."""
    draft = file.with_name(f".{file.name}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)
