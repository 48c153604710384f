"""Fetching bills: an address that lives for half a minute, and the ZIP behind it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.alipay.codes import Codes, meaning_of, names_any
from kuaitui.channels.alipay.gateway import Gateway
from kuaitui.channels.port import (
    NotSent,
    RejectedConfig,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementOutcome,
    Unknown,
)
from kuaitui.kernel.clock import read_stopwatch_s

BILL_METHOD: Final = "alipay.data.dataservice.bill.downloadurl.query"
BILL_TYPES: Final = {StatementKind.TRADES: "trade", StatementKind.FUNDS: "signcustomer"}
NOTHING_HAPPENED: Final = ("NO_BILL_DATA",)
NOT_THERE: Final = ("BILL_NOT_EXIST",)
_ZIP_BEGINS: Final = b"PK"


def fetch_bill(
    gateway: Gateway, kind: StatementKind, day: dt.date, *, deadline_s: float
) -> StatementOutcome:
    """One day's bill, as the ZIP that Alipay sent. Alipay announces no hash of it."""
    ends_s = read_stopwatch_s() + deadline_s
    content = {"bill_type": BILL_TYPES[kind], "bill_date": day.isoformat()}
    answer = gateway.ask(BILL_METHOD, content, deadline_s=deadline_s)
    if not isinstance(answer, Answer):
        return answer
    if names_any(answer, NOTHING_HAPPENED):
        return StatementEmpty()
    if names_any(answer, NOT_THERE):
        return StatementAbsent()
    if not answer.is_success:
        refused = meaning_of(answer, Codes())
        return refused if isinstance(refused, RejectedConfig) else Unknown(answer.cause)
    left_s = ends_s - read_stopwatch_s()
    if left_s <= 0:
        return Unknown("deadline")
    downloaded = gateway.download(answer.text("bill_download_url"), deadline_s=left_s)
    if isinstance(downloaded, NotSent | Unknown):
        return downloaded
    if not downloaded.startswith(_ZIP_BEGINS):
        return Unknown("not_a_bill")
    return StatementFetched(downloaded, f"{BILL_TYPES[kind]}-{day.isoformat()}.zip")
