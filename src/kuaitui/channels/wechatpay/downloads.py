"""A day's bill, fetched: asked for, downloaded, and held against the hash that was announced.

Source: reference §1.1, "Trade bill", "Fund bill" and "Download".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import Final

import httpx

from kuaitui.channels.port import (
    NotSent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementOutcome,
    StatementRefused,
    Unknown,
)
from kuaitui.channels.wechatpay.bills import FILE_BYTES_MAX, GZIP_MAGIC, unpack
from kuaitui.channels.wechatpay.client import Deadline, Reply, WeChatPayClient
from kuaitui.channels.wechatpay.replies import BEIJING, after_a_call, refuses_us
from kuaitui.channels.wechatpay.settings import WeChatPaySettings

READY_AT: Final = dt.time(10)
"""Of the next day in Beijing: bills are made from nine and safe to ask for from ten."""
URL_CHARACTERS_MAX: Final = 2048
HASH: Final = re.compile(r"[0-9a-fA-F]{40}")
WITHOUT_BILL: Final = "NO_STATEMENT_EXIST"
BEING_MADE: Final = "STATEMENT_CREATING"


class Downloads:
    """The bills of one merchant, as files."""

    def __init__(self, settings: WeChatPaySettings, client: WeChatPayClient) -> None:
        self._settings = settings
        self._client = client

    def fetch(
        self, kind: StatementKind, day: dt.date, now: dt.datetime, deadline: Deadline
    ) -> StatementOutcome:
        """One day's bill. Before it can be made nobody is asked: "no bill" would be no answer."""
        if now < ready_at(day):
            return StatementNotReady()
        reply = self._client.call("GET", self._path(kind, day), deadline=deadline)
        if not isinstance(reply, Reply):
            return reply
        if not reply.is_success:
            return _not_there(reply)
        announced = _announced(reply)
        path = _path_here(reply.document.get("download_url"), self._settings.base_url)
        if announced is None or path is None:
            return Unknown("download_unfit")
        content = self._client.download(path, deadline=deadline, bytes_max=FILE_BYTES_MAX)
        if isinstance(content, NotSent):
            return after_a_call(content)
        if isinstance(content, Unknown):
            return content
        return self._proven(kind, day, content, announced)

    def _path(self, kind: StatementKind, day: dt.date) -> str:
        asked = f"bill_date={day.isoformat()}"
        if kind is StatementKind.TRADES:
            return f"/v3/bill/tradebill?{asked}&bill_type=ALL&tar_type=GZIP"
        account = self._settings.fund_account
        return f"/v3/bill/fundflowbill?{asked}&account_type={account}&tar_type=GZIP"

    def _proven(
        self, kind: StatementKind, day: dt.date, content: bytes, announced: str
    ) -> StatementOutcome:
        """The hash is of the unpacked file, whatever came."""
        try:
            plain = unpack(content)
        except StatementRefused:
            return Unknown("file_unsound")
        found = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(found, announced):
            return Unknown("hash_mismatch")
        ending = "csv.gz" if content.startswith(GZIP_MAGIC) else "csv"
        name = f"wechatpay-{self._settings.mchid}-{kind.value}-{day.isoformat()}.{ending}"
        return StatementFetched(content, name)


def ready_at(day: dt.date) -> dt.datetime:
    """From when on a day's bill may be asked for."""
    return dt.datetime.combine(day + dt.timedelta(days=1), READY_AT, BEIJING)


def _not_there(reply: Reply) -> StatementOutcome:
    if 400 <= reply.status < 500 and reply.code == WITHOUT_BILL:
        return StatementEmpty()
    if 400 <= reply.status < 500 and reply.code == BEING_MADE:
        return StatementNotReady()
    return refuses_us(reply) or reply.unmapped()


def _announced(reply: Reply) -> str | None:
    value = reply.document.get("hash_value")
    if reply.document.get("hash_type") != "SHA1" or not isinstance(value, str):
        return None
    return value.lower() if HASH.fullmatch(value) else None


def _path_here(url: object, base_url: str) -> str | None:
    """The path of a download on the host that we know; our signature goes nowhere else."""
    if not isinstance(url, str) or len(url) > URL_CHARACTERS_MAX:
        return None
    try:
        there, here = httpx.URL(url.strip()), httpx.URL(base_url)
    except httpx.InvalidURL:
        return None
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        return None
    if there.userinfo or not there.raw_path.startswith(b"/"):
        return None
    return there.raw_path.decode("ascii")
