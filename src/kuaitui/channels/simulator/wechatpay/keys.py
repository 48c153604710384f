"""The keys of the simulated WeChat Pay and of its one merchant, as files that are made once."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

MCHID: Final = "1900000109"
APPID: Final = "wxd678efh567hg6787"
PUBLIC_KEY_ID_PREFIX: Final = "PUB_KEY_ID_"
KEY_BITS: Final = 2048
APIV3_KEY_CHARACTERS: Final = 32
CERTIFICATE_VALID: Final = dt.timedelta(days=5 * 365)
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """One key of WeChat Pay: a public key with an id, or a platform certificate with a serial."""

    key_id: str
    private: RSAPrivateKey
    certificate: x509.Certificate | None


class Keys:
    """A folder of keys. What is not there is made; nothing is ever replaced.

    `merchant_key.pem`, `merchant_certificate.pem`, `apiv3_key`, `app_secret` and `platform/ID.pem`
    are the merchant's to use; `platform/ID.key` is the institution's own.
    """

    def __init__(self, folder: Path, *, now: dt.datetime) -> None:
        self.folder = folder.absolute()
        self._platform = self.folder / "platform"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Reading a private key checks its numbers, which takes longer than a whole call should.
        self._read_before: dict[str, PlatformKey] = {}
        self._platform.mkdir(exist_ok=True, mode=0o700)
        self._make_merchant(now)
        if not self._current_file("public_key").exists():
            self.rotate("public_key", now=now)
            self.rotate("certificate", now=now)
        self.merchant = _read_certificate(self.merchant_certificate_file)

    @property
    def merchant_key_file(self) -> Path:
        """The merchant's private key."""
        return self.folder / "merchant_key.pem"

    @property
    def merchant_certificate_file(self) -> Path:
        """The merchant's API certificate."""
        return self.folder / "merchant_certificate.pem"

    @property
    def apiv3_key_file(self) -> Path:
        """The symmetric key that both share."""
        return self.folder / "apiv3_key"

    @property
    def apiv3_key(self) -> bytes:
        """The symmetric key that both share."""
        return self.apiv3_key_file.read_bytes()

    @property
    def app_secret_file(self) -> Path:
        """What the merchant's server asks for openids with."""
        return self.folder / "app_secret"

    @property
    def merchant_serial(self) -> str:
        """The serial of the merchant's API certificate, as requests name it."""
        return serial_of(self.merchant)

    def current(self, kind: str) -> PlatformKey:
        """The key in use: of kind `public_key` or `certificate`."""
        return self._read(self._current_file(kind).read_text())

    def find(self, key_id: str) -> PlatformKey | None:
        """A key of any age, by its id or serial."""
        if not key_id.isidentifier() and not key_id.isalnum():
            return None
        return self._read(key_id) if (self._platform / f"{key_id}.key").exists() else None

    def certificates(self) -> list[PlatformKey]:
        """All platform certificates; a merchant may meet any of them while they change."""
        ids = sorted(path.stem for path in self._platform.glob("*.key"))
        return [self._read(key_id) for key_id in ids if not key_id.startswith(PUBLIC_KEY_ID_PREFIX)]

    def file_of(self, key_id: str) -> Path:
        """The public part of a platform key, as the merchant downloads it."""
        return self._platform / f"{key_id}.pem"

    def rotate(self, kind: str, *, now: dt.datetime) -> str:
        """Make a new key of that kind and use it from now on; older ones stay known."""
        private = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        if kind == "public_key":
            key_id = (
                PUBLIC_KEY_ID_PREFIX
                + "01"
                + "".join(secrets.choice("0123456789") for _ in range(26))
            )
            public = private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        elif kind == "certificate":
            certificate = _certify(private, "Simulated Tenpay.com sign CA", now)
            key_id = serial_of(certificate)
            public = certificate.public_bytes(serialization.Encoding.PEM)
        else:
            raise ValueError(f"no such kind of key: {kind}")
        _write(self.file_of(key_id), public)
        _write(self._platform / f"{key_id}.key", _pem(private))
        _write(self._current_file(kind), key_id.encode())
        return key_id

    def _current_file(self, kind: str) -> Path:
        return self._platform / f"current_{kind}"

    def _read(self, key_id: str) -> PlatformKey:
        if key_id not in self._read_before:
            self._read_before[key_id] = self._read_files(key_id)
        return self._read_before[key_id]

    def _read_files(self, key_id: str) -> PlatformKey:
        private = serialization.load_pem_private_key(
            (self._platform / f"{key_id}.key").read_bytes(), password=None
        )
        if not isinstance(private, RSAPrivateKey):
            raise TypeError(f"{key_id} is no RSA key")
        is_public_key = key_id.startswith(PUBLIC_KEY_ID_PREFIX)
        certificate = None if is_public_key else _read_certificate(self.file_of(key_id))
        return PlatformKey(key_id, private, certificate)

    def _make_merchant(self, now: dt.datetime) -> None:
        if not self.apiv3_key_file.exists():
            key = "".join(secrets.choice(LETTERS) for _ in range(APIV3_KEY_CHARACTERS))
            _write(self.apiv3_key_file, key.encode())
        if not self.app_secret_file.exists():
            _write(self.app_secret_file, secrets.token_hex(16).encode())
        if not self.merchant_key_file.exists():
            private = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
            certificate = _certify(private, MCHID, now)
            _write(self.merchant_certificate_file, certificate.public_bytes(PEM))
            _write(self.merchant_key_file, _pem(private))


PEM: Final = serialization.Encoding.PEM


def serial_of(certificate: x509.Certificate) -> str:
    """A serial as WeChat Pay writes it: 40 hexadecimal digits, capital."""
    return f"{certificate.serial_number:040X}"


def _certify(private: RSAPrivateKey, name: str, now: dt.datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    # The highest bits are set, so that the serial has its 40 digits without leading zeros.
    serial = int.from_bytes(secrets.token_bytes(20)) & (2**159 - 1) | 2**158
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(serial)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_VALID)
        .sign(private, hashes.SHA256())
    )


def _pem(private: RSAPrivateKey) -> bytes:
    return private.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, and for the owner's eyes only."""
    draft = file.with_name(f".{file.name}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(file)
