"""One Alipay application, as the settings describe it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kuaitui.channels.alipay.keys import (
    AlipayKey,
    read_certificate,
    read_private_key,
    read_public_key,
    read_root_serial,
    read_serial,
)
from kuaitui.kernel.errors import Refusal

PRODUCTION_URL: Final = "https://openapi.alipay.com"
REFUND_QUERY_AFTER: Final = dt.timedelta(seconds=10)
"""A refund may be asked about no sooner. Source: reference §1.3."""
MERCHANT: Final = frozenset({"app_id", "seller_id"})
PLAIN: Final = frozenset(
    {
        "base_url",
        "notify_url",
        "refund_window_days",
        "not_found_floor_s",
        "resend_window_s",
        "return_window_s",
        "transfer_scene_name",
        "transfer_scene_report",
    }
)
FILES: Final = frozenset(
    {
        "private_key_file",
        "alipay_public_key_files",
        "app_certificate_file",
        "alipay_root_certificate_file",
        "alipay_certificate_files",
    }
)


class AlipaySettingsWrong(Refusal):
    """The settings of an Alipay channel are incomplete or contradict themselves."""

    code = "channel.alipay.settings_wrong"


@dataclass(frozen=True, slots=True)
class Certificates:
    """What certificate mode says of itself with every request."""

    app_serial: str
    root_serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlipaySettings:
    """The application, its keys, and how long its promises hold.

    `alipay_keys` may be several: old and new side by side while Alipay changes its own.
    """

    app_id: str
    seller_id: str
    """The merchant's 2088… id: whose notifications and whose bills these are."""
    private_key: RSAPrivateKey = field(repr=False)
    alipay_keys: tuple[AlipayKey, ...] = field(repr=False)
    certificates: Certificates | None = None
    """Only with certificates are there transfers to accounts."""
    base_url: str = PRODUCTION_URL
    notify_url: str = ""
    refund_window_days: int | None = None
    """How long after a payment its contract lets it be refunded. Alipay publishes no number."""
    not_found_floor_s: float = 600.0
    resend_window_s: float = 86400.0
    """Alipay publishes no memory of numbers; after this long a number is only asked about."""
    return_window_s: float = 30 * 86400.0
    """How long a paid transfer is still looked at for a return (退票)."""
    transfer_scene_name: str = "企业退款"
    transfer_scene_report: tuple[tuple[str, str], ...] = ()
    """Kind and content of what the scene demands to be reported, as agreed with Alipay."""

    def __post_init__(self) -> None:
        if not self.app_id or not self.seller_id or not self.alipay_keys:
            raise AlipaySettingsWrong
        if self.not_found_floor_s < REFUND_QUERY_AFTER.total_seconds():
            raise AlipaySettingsWrong(setting="not_found_floor_s")

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> AlipaySettings:
        """Read one entry of the channel settings; keys and certificates lie in files.

        Raises:
            AlipaySettingsWrong: something is missing, unknown, or of both modes.
            AlipayKeyUnreadable: a file holds no key or certificate.
        """
        unknown = set(document) - MERCHANT - PLAIN - FILES
        if unknown:
            raise AlipaySettingsWrong(setting=min(unknown))
        try:
            return _parse(cls, document)
        except KeyError as missing:
            raise AlipaySettingsWrong(setting=missing.args[0]) from None


def _parse(kind: type[AlipaySettings], document: Mapping[str, Any]) -> AlipaySettings:
    plain = {name: document[name] for name in PLAIN & set(document)}
    if "transfer_scene_report" in plain:
        plain["transfer_scene_report"] = tuple(plain["transfer_scene_report"].items())
    has_certificates = "app_certificate_file" in document
    if has_certificates == ("alipay_public_key_files" in document):
        raise AlipaySettingsWrong(setting="app_certificate_file")
    if has_certificates:
        keys = [read_certificate(file) for file in _files(document, "alipay_certificate_files")]
        certificates = Certificates(
            read_serial(Path(document["app_certificate_file"])),
            read_root_serial(Path(document["alipay_root_certificate_file"])),
        )
    else:
        keys = [read_public_key(file) for file in _files(document, "alipay_public_key_files")]
        certificates = None
    return kind(
        app_id=document["app_id"],
        seller_id=document["seller_id"],
        private_key=read_private_key(Path(document["private_key_file"])),
        alipay_keys=tuple(keys),
        certificates=certificates,
        **plain,
    )


def _files(document: Mapping[str, Any], name: str) -> list[Path]:
    """A list of files: one key, or the old and the new one while they are exchanged."""
    named = document[name]
    if not isinstance(named, list | tuple):
        raise AlipaySettingsWrong(setting=name)
    return [Path(file) for file in named]
