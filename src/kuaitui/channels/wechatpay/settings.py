"""One merchant of WeChat Pay, as the settings describe it. Keys lie in files, never in rows."""

from __future__ import annotations

import datetime as dt
import enum
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kuaitui.channels.wechatpay.keys import WeChatKey, read_key
from kuaitui.kernel.money import Money

APIV3_KEY_VARIABLE: Final = "KUAITUI_WECHATPAY_APIV3_KEY"
APIV3_KEY_BYTES: Final = 32
NOT_FOUND_FLOOR: Final = dt.timedelta(minutes=10)
CURRENCY: Final = "CNY"
TRANSFER_MIN: Final = Money(10, CURRENCY)
"""No transfer is smaller, whatever the console says (reference §1.2)."""
REMARK_CHARACTERS_MAX: Final = 32
AUTHORIZE_PAGE: Final = "https://open.weixin.qq.com/connect/oauth2/authorize"
OFFICIAL_ACCOUNTS: Final = "https://api.weixin.qq.com"
REASON_BYTES_MAX: Final = 80


class KeyMode(enum.StrEnum):
    """By what WeChat Pay proves itself to this merchant."""

    PUBLIC_KEY = "public_key"
    """A public key named `PUB_KEY_ID_…`: the only mode of merchants registered lately."""
    CERTIFICATE = "certificate"
    """Platform certificates, which are replaced every few years and can be downloaded."""


@dataclass(frozen=True, slots=True)
class TransferScene:
    """What a transfer to a user is said to be; the scene must be granted by WeChat Pay."""

    scene_id: str
    reports: tuple[tuple[str, str], ...]
    """Pairs of `info_type` and `info_content`, as the scene prescribes."""
    remark: str
    perception: str = ""


@dataclass(frozen=True, slots=True)
class UserIdentification:
    """How users of the appid say who they are: the official account that it is the appid of."""

    app_secret: str = field(repr=False)
    page: str = AUTHORIZE_PAGE
    base_url: str = OFFICIAL_ACCOUNTS


@dataclass(frozen=True, slots=True)
class WeChatPaySettings:
    """Where WeChat Pay is, who we are there, and by which keys both sides are known."""

    base_url: str
    mchid: str
    appid: str
    merchant_serial: str
    merchant_key: RSAPrivateKey = field(repr=False)
    apiv3_key: bytes = field(repr=False)
    key_mode: KeyMode
    wechatpay_keys: Mapping[str, WeChatKey] = field(repr=False)
    notify_url: str
    transfer_scene: TransferScene | None = None
    transfer_max: Money | None = None
    """The ceiling of one transfer, as set in the merchant's console. None: it is not told here."""
    user_identification: UserIdentification | None = None
    """None: users cannot say who they are, and so none can be named as a payee."""
    refund_reason: str = ""
    fund_account: str = "BASIC"
    confirm_page: str = ""
    """Where `package_info` alone confirms a transfer: a simulator's page. WeChat Pay has none, there
    the payee's mini program opens it."""
    not_found_floor: dt.timedelta = NOT_FOUND_FLOOR

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> WeChatPaySettings:
        """Read one entry of the channel settings, and the files that it names.

        Raises:
            ValueError: a setting is missing, unknown or not usable; the message names it.
        """
        entry = _Entry(document)
        settings = cls(
            base_url=entry.take("base_url", _host),
            mchid=entry.take("mchid", _digits),
            appid=entry.take("appid", _word),
            merchant_serial=entry.take("merchant_serial", _word),
            merchant_key=entry.take("merchant_key_file", _private_key),
            apiv3_key=_api_key(entry.take_or("apiv3_key_file", Path, None)),
            key_mode=entry.take_or("key_mode", KeyMode, KeyMode.PUBLIC_KEY),
            wechatpay_keys=entry.take_or("wechatpay_keys", _key_files, {}),
            notify_url=entry.take("notify_url", _url),
            transfer_scene=entry.take_or("transfer_scene", _scene, None),
            transfer_max=entry.take_or("transfer_max_minor", _transfer_max, None),
            user_identification=entry.take_or("user_identification", _identification, None),
            refund_reason=entry.take_or("refund_reason", _reason, ""),
            fund_account=entry.take_or("fund_account", _fund_account, "BASIC"),
            confirm_page=entry.take_or("confirm_page", _url, ""),
            not_found_floor=entry.take_or("not_found_floor_s", _seconds, NOT_FOUND_FLOOR),
        )
        entry.ensure_all_taken()
        named = settings.wechatpay_keys.values()
        if settings.key_mode is KeyMode.PUBLIC_KEY and all(key.is_certificate for key in named):
            raise ValueError("wechatpay_keys: name at least one public key of WeChat Pay")
        return settings


Taken = TypeVar("Taken")
Otherwise = TypeVar("Otherwise")


class _Entry:
    """The settings' entry, read name by name; what nobody reads is a mistake of its writer."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._left = dict(document)

    def take(self, name: str, read: Callable[[Any], Taken]) -> Taken:
        if name not in self._left:
            raise ValueError(f"{name}: missing")
        try:
            return read(self._left.pop(name))
        except (ValueError, TypeError, KeyError, OSError) as problem:
            raise ValueError(f"{name}: {problem}") from None

    def take_or(
        self, name: str, read: Callable[[Any], Taken], otherwise: Otherwise
    ) -> Taken | Otherwise:
        return self.take(name, read) if name in self._left else otherwise

    def ensure_all_taken(self) -> None:
        if self._left:
            raise ValueError(f"{', '.join(sorted(self._left))}: no such setting")


def _matching(pattern: str, what: str) -> Callable[[object], str]:
    compiled = re.compile(pattern)

    def read(value: object) -> str:
        text = str(value)
        if compiled.fullmatch(text) is None:
            raise ValueError(f"not {what}")
        return text

    return read


_url = _matching(r"https?://[^\s/?#]+(/[^\s?#]*)?", "an address without a query")
_host = _matching(r"https?://[^\s/?#]+", "a host's address without a path")
_digits = _matching(r"\d{6,32}", "a number of 6 to 32 digits")
_word = _matching(r"[0-9A-Za-z_]{1,64}", "a word of letters and digits")
_fund_account = _matching(r"BASIC|OPERATION|FEES", "one of BASIC, OPERATION, FEES")


def _private_key(file: object) -> RSAPrivateKey:
    key = load_pem_private_key(Path(str(file)).read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - a setting, not an argument
    return key


def _api_key(file: Path | None) -> bytes:
    """The APIv3 key, from the file or the environment."""
    text = file.read_text() if file is not None else os.environ.get(APIV3_KEY_VARIABLE, "")
    key = text.strip().encode()
    if len(key) != APIV3_KEY_BYTES:
        raise ValueError(f"apiv3_key_file or {APIV3_KEY_VARIABLE}: not a key of 32 characters")
    return key


def _key_files(files: Mapping[str, object]) -> dict[str, WeChatKey]:
    return {
        serial: read_key(serial, Path(str(file)).read_bytes()) for serial, file in files.items()
    }


def _scene(document: Mapping[str, Any]) -> TransferScene:
    reports = tuple(
        (str(report["info_type"]), str(report["info_content"])) for report in document["reports"]
    )
    remark = str(document["remark"])
    if not 0 < len(remark) <= REMARK_CHARACTERS_MAX:
        raise ValueError(f"the remark has 1 to {REMARK_CHARACTERS_MAX} characters")
    perception = str(document.get("perception", ""))
    return TransferScene(_digits_short(document["scene_id"]), reports, remark, perception)


_digits_short = _matching(r"\d{1,8}", "a scene's number")


def _transfer_max(value: object) -> Money:
    if type(value) is not int:
        raise TypeError("not a whole number of fen")
    ceiling = Money(value, CURRENCY)
    if ceiling < TRANSFER_MIN:
        raise ValueError(f"less than the smallest transfer, {TRANSFER_MIN.minor} fen")
    return ceiling


def _identification(document: Mapping[str, Any]) -> UserIdentification:
    entry = _Entry(document)
    identification = UserIdentification(
        app_secret=entry.take("app_secret_file", _app_secret),
        page=entry.take_or("page", _url, AUTHORIZE_PAGE),
        base_url=entry.take_or("base_url", _host, OFFICIAL_ACCOUNTS),
    )
    entry.ensure_all_taken()
    return identification


def _app_secret(file: object) -> str:
    return _secret(Path(str(file)).read_text().strip())


_secret = _matching(r"[0-9A-Za-z]{16,64}", "an AppSecret")


def _reason(value: object) -> str:
    text = str(value)
    if len(text.encode()) > REASON_BYTES_MAX:
        raise ValueError(f"longer than {REASON_BYTES_MAX} bytes")
    return text


def _seconds(value: object) -> dt.timedelta:
    seconds = int(str(value))
    if seconds < 0:
        raise ValueError("less than nothing")
    return dt.timedelta(seconds=seconds)
