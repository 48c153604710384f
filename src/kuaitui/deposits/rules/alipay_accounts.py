"""Alipay accounts as sellers know them: by the log-in name, which Alipay compares with the name."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits.errors import AlipayAccountMissing, AlipayAccountMistyped

TAIL: Final = 4
MAIL_LENGTH_MAX: Final = 100
_MOBILE: Final = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
_MAIL: Final = re.compile(r"[a-z0-9._%+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}")
_DASHES: Final = re.compile(r"[\s()‐‑–—-]")


def parse_alipay_account(text: str) -> str:
    """The log-in name of an Alipay account as a person types it: a mobile number or a mail address.

    A user id (2088…) is refused: Alipay compares the payee's name with a log-in name, and that
    comparison is what keeps a mistyped account from being paid.

    Raises:
        AlipayAccountMissing, AlipayAccountMistyped: what is wrong.
    Source: reference §1.3, `identity_type=ALIPAY_LOGON_ID`.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    if not written:
        raise AlipayAccountMissing
    mobile = _MOBILE.fullmatch(_DASHES.sub("", written))
    if mobile:
        return mobile[1]
    mail = written.lower()
    if len(mail) > MAIL_LENGTH_MAX or not _MAIL.fullmatch(mail):
        raise AlipayAccountMistyped
    return mail


def tail_of(number: str, *, kind: PayeeKind) -> str:
    """The end of an account that people may see: four signs at most.

    Of a mail address it is the end of the part before the @, and never more than half of it.
    """
    name, at, _ = number.partition("@")
    if kind is PayeeKind.ALIPAY_ACCOUNT and at:
        return name[-max(1, min(TAIL, len(name) // 2)) :]
    return number[-TAIL:]
