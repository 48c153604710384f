"""Alipay's bills: fetched as bytes, read by rule, refused for a reason."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kuaitui.channels.alipay import bill_files
from kuaitui.channels.port import (
    LineKind,
    NotSent,
    RejectedConfig,
    Statement,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementOutcome,
    StatementRefused,
    Unknown,
)
from kuaitui.kernel.money import Money
from tests.support.alipay import DEADLINE_S, SELLER_ID, StandIn, failure, success
from tests.support.alipay_bills import (
    ACCOUNT,
    FUND_ENDING,
    MOVEMENTS,
    TRADE_ENDING,
    TRADES,
    detail,
    fund_bill,
    movement,
    trade,
    trade_bill,
    zipped,
)

METHOD = "alipay.data.dataservice.bill.downloadurl.query"
DAY = dt.date(2026, 11, 24)
HERE = "https://gateway.test/bill?id=1"
CHANNEL = StandIn().channel()


def read(content: bytes, kind: StatementKind = StatementKind.TRADES) -> Statement:
    return CHANNEL.read_statement(kind, content)


def yuan(text: str) -> Money:
    return Money.parse(text, "CNY")


def test_a_trade_bill_names_payments_and_refunds_by_our_numbers() -> None:
    bill = read(trade_bill())

    assert (bill.account, bill.day) == (ACCOUNT, DAY)
    assert [
        (line.line_no, line.kind, line.number, line.reference, line.amount) for line in bill.lines
    ] == [
        (6, LineKind.PAY_IN, "payin_1", "2026112422001", yuan("1000")),
        (7, LineKind.PAY_IN, "payin_2", "2026112422002", yuan("500.50")),
        (8, LineKind.REFUND, "pay_1_a", "2026112422001", yuan("200")),
    ]
    assert bill.lines[0].occurred_at == dt.datetime(2026, 11, 24, 2, 5, tzinfo=dt.UTC)
    assert bill.lines[2].state == "退款"


def test_a_fund_bill_names_every_movement() -> None:
    bill = read(fund_bill(), StatementKind.FUNDS)

    assert [(line.kind, line.number, line.amount) for line in bill.lines] == [
        (LineKind.PAY_IN, "payin_1", yuan("1000")),
        (LineKind.FEE, "payin_1", yuan("6")),
        (LineKind.REFUND, "", yuan("200")),
        (LineKind.PAYOUT, "pay_2_a", yuan("300")),
        (LineKind.RETURN, "pay_2_a", yuan("300")),
        (LineKind.TRANSFER, "", yuan("400")),
        (LineKind.STRANGE, "", yuan("0.01")),
    ]


def test_a_day_without_business_is_a_bill_without_lines() -> None:
    ending = (
        "#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元,,,",
        "#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元,,,",
    )

    assert read(zipped(detail("trade", (), ending))).lines == ()


def test_the_same_bytes_give_the_same_lines() -> None:
    content = fund_bill()

    assert read(content, StatementKind.FUNDS) == read(content, StatementKind.FUNDS)


@pytest.mark.parametrize("account", [ACCOUNT, SELLER_ID])
def test_the_accounts_of_a_merchant_begin_with_its_id(account: str) -> None:
    assert read(zipped(detail("trade", TRADES, TRADE_ENDING, account=account))).account == account


def test_a_name_that_gbk_does_not_have_is_read() -> None:
    rows = (TRADES[0].replace("小明", "\U000200a4\u2028明"), *TRADES[1:])

    assert len(read(zipped(detail("trade", rows, TRADE_ENDING), encoding="gb18030")).lines) == 3


def changed(old: str, new: str) -> bytes:
    whole = detail("trade", TRADES, TRADE_ENDING)
    assert old in whole
    return zipped(whole.replace(old, new))


WRONG_TRADES: list[tuple[str, bytes, str, int]] = [
    ("a row is missing", zipped(detail("trade", TRADES[1:], TRADE_ENDING)), "sums up", 0),
    (
        "a row too many",
        zipped(detail("trade", (*TRADES, TRADES[0]), TRADE_ENDING)),
        "sums up",
        0,
    ),
    ("an amount was changed", changed("500.5,500.5", "501.5,501.5"), "sums up", 0),
    (
        "two rows made one",
        zipped(detail("trade", (trade("交易", "payin_1", "1500.50"), TRADES[2]), TRADE_ENDING)),
        "sums up",
        0,
    ),
    ("a refund was changed", changed("-200.00,-200.00", "-20.00,-20.00"), "sums up", 0),
    ("three decimals", changed("500.5,500.5", "500.500,500.500"), "not an amount", 7),
    ("a backtick", changed("500.5,500.5", "`500.5,`500.5"), "not an amount", 7),
    ("a float", changed("500.5,500.5", "5e2,5e2"), "not an amount", 7),
    ("nothing", changed("500.5,500.5", "0.00,0.00"), "no amount", 7),
    ("a strange time", changed("2026-11-24 10:05:00", "yesterday"), "not a time", 6),
    ("a cell too many", changed("payin_2\t", "payin_2\t,"), "cells", 7),
    ("an open quote", changed("payin_2\t", '"payin_2\t'), "not CSV", 7),
    ("a column is missing", changed("商家实收（元）", "商家收（元）"), "no column", 6),
    ("the sums are missing", changed("#交易合计", "#合计"), "no sums", 0),
    ("the sums come twice", changed("#导出时间", TRADE_ENDING[0] + "\r\n#导出时间"), "no sums", 0),
    ("it ends early", changed("业务明细列表结束", "业务明细"), "whole bill", 0),
    ("two tables", zipped(*[detail("trade", TRADES, TRADE_ENDING)] * 2), "2 files", 0),
    ("no table", zipped(), "0 files", 0),
    ("the other bill", fund_bill(), "0 files", 0),
    ("no account", changed("#账号", "#账"), "no account", 0),
    (
        "another account",
        zipped(detail("trade", TRADES, TRADE_ENDING, account="20880000000000090156")),
        "another account",
        0,
    ),
    (
        "an account whose number ours begins",
        zipped(detail("trade", TRADES, TRADE_ENDING, account=f"{SELLER_ID}1")),
        "another account",
        0,
    ),
    (
        "two days",
        changed("2026年11月25日 00:00:00]\r\n", "2026年11月26日 00:00:00]\r\n"),
        "one day",
        0,
    ),
    ("no such day", changed("2026年11月24日", "2026年11月34日"), "one day", 0),
    ("UTF-8", zipped(detail("trade", TRADES, TRADE_ENDING), encoding="utf-8"), "0 files", 0),
    ("empty", b"", "sound ZIP", 0),
    ("not a ZIP", b"PK no zip at all", "sound ZIP", 0),
    ("a page", b"<html>", "sound ZIP", 0),
    ("cut off", trade_bill()[:-40], "sound ZIP", 0),
]


@pytest.mark.parametrize(
    ("content", "reason", "line_no"),
    [case[1:] for case in WRONG_TRADES],
    ids=[case[0] for case in WRONG_TRADES],
)
def test_a_bill_that_is_not_whole_and_sound_is_refused(
    content: bytes, reason: str, line_no: int
) -> None:
    with pytest.raises(StatementRefused, match=reason) as refused:
        read(content)

    assert refused.value.line_no == line_no


WRONG_FUNDS: list[tuple[str, tuple[str, ...], str, int]] = [
    ("missing", MOVEMENTS[1:], "sums up", 0),
    ("both ways", (movement("转账", "x", income="1.00", outgo="1.00"),), "neither", 6),
    ("no way", (movement("转账", "x"),), "neither", 6),
    ("three decimals", (movement("转账", "x", outgo="-1.005"),), "not an amount", 6),
]


@pytest.mark.parametrize(
    ("rows", "reason", "line_no"),
    [case[1:] for case in WRONG_FUNDS],
    ids=[case[0] for case in WRONG_FUNDS],
)
def test_a_fund_bill_that_does_not_add_up_is_refused(
    rows: tuple[str, ...], reason: str, line_no: int
) -> None:
    with pytest.raises(StatementRefused, match=reason) as refused:
        read(zipped(detail("signcustomer", rows, FUND_ENDING)), StatementKind.FUNDS)

    assert refused.value.line_no == line_no


def test_a_zip_that_unpacks_to_more_than_any_bill_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("detail.csv", b"0" * 3_000_000)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(bill_files.FILES_MAX + 1):
            archive.writestr(str(number), b"")
    monkeypatch.setattr(bill_files, "FILE_BYTES_MAX", 2_000_000)

    for content in (bomb.getvalue(), many.getvalue()):
        with pytest.raises(StatementRefused, match="larger than any bill"):
            read(content)


def test_a_zip_that_lies_about_its_size_is_refused() -> None:
    honest = io.BytesIO()
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("detail.csv", b"0" * 1_000_000)
    size = (1_000_000).to_bytes(4, "little")
    lying = honest.getvalue().replace(size, (10).to_bytes(4, "little"))

    with pytest.raises(StatementRefused, match="sound ZIP"):
        read(lying)


def test_more_rows_than_any_bill_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_files, "ROWS_MAX", 2)

    with pytest.raises(StatementRefused, match="more rows"):
        read(trade_bill())


@hypothesis_settings(max_examples=100)
@given(at=st.integers(0, len(trade_bill()) - 1), by=st.integers(1, 255))
def test_one_changed_byte_never_changes_an_amount(at: int, by: int) -> None:
    content = bytearray(trade_bill())
    content[at] = (content[at] + by) % 256
    try:
        bill = read(bytes(content))
    except StatementRefused:
        return

    assert [line.amount for line in bill.lines] == [yuan("1000"), yuan("500.50"), yuan("200")]


def fetched(alipay: StandIn, told: dict[str, object]) -> StatementOutcome:
    alipay.will_answer(METHOD, told)
    return alipay.channel().fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S)


def test_a_bill_is_fetched_as_the_bytes_that_alipay_sent() -> None:
    alipay = StandIn(downloads={HERE: httpx.Response(200, content=trade_bill())})

    outcome = fetched(alipay, success(bill_download_url=HERE))

    assert outcome == StatementFetched(trade_bill(), "trade-2026-11-24.zip")
    assert alipay.calls[0].content == {"bill_type": "trade", "bill_date": "2026-11-24"}


def test_a_bill_whose_address_alipay_names_without_tls_is_fetched_with_it() -> None:
    there = "dwbillcenter.alipay.com/downloadBillFile.resource?bizType=X&userId=2088"
    alipay = StandIn(downloads={f"https://{there}": httpx.Response(200, content=trade_bill())})

    outcome = fetched(alipay, success(bill_download_url=f"http://{there}"))

    assert outcome == StatementFetched(trade_bill(), "trade-2026-11-24.zip")


def test_the_bill_of_funds_is_the_signcustomer_bill() -> None:
    alipay = StandIn(downloads={HERE: httpx.Response(200, content=fund_bill())})
    alipay.will_answer(METHOD, success(bill_download_url=HERE))

    alipay.channel().fetch_statement(StatementKind.FUNDS, DAY, deadline_s=DEADLINE_S)

    assert alipay.calls[0].content["bill_type"] == "signcustomer"


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (failure("NO_BILL_DATA"), StatementEmpty()),
        (failure("isp.bill_not_exist"), StatementAbsent()),
        (
            failure("isv.insufficient-isv-permissions", code="40006"),
            RejectedConfig("INSUFFICIENT-ISV-PERMISSIONS"),
        ),
        (failure("ACQ.SYSTEM_ERROR"), Unknown("ACQ.SYSTEM_ERROR")),
        (failure("INVALID_BILL_TYPE"), Unknown("INVALID_BILL_TYPE")),
        (success(), Unknown("address_not_safe")),
        (success(bill_download_url="http://elsewhere.test/bill"), Unknown("address_not_safe")),
        (success(bill_download_url="file:///etc/passwd"), Unknown("address_not_safe")),
        (success(bill_download_url="https://[bad"), Unknown("address_not_safe")),
    ],
)
def test_what_the_answer_to_the_question_for_a_bill_means(
    told: dict[str, object], outcome: StatementOutcome
) -> None:
    assert fetched(StandIn(), told) == outcome


@pytest.mark.parametrize(
    ("response", "cause"),
    [
        (httpx.Response(403), "http_403"),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test"}), "http_302"),
        (httpx.Response(200, content=b"<html>expired</html>"), "not_a_bill"),
        (httpx.Response(200, content=b""), "not_a_bill"),
    ],
)
def test_what_is_no_bill_is_not_kept_as_one(response: httpx.Response, cause: str) -> None:
    alipay = StandIn(downloads={HERE: response})

    assert fetched(alipay, success(bill_download_url=HERE)) == Unknown(cause)


def test_an_address_that_nobody_answers_at_leaves_the_bill_unfetched() -> None:
    def lose(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("lost")

    alipay = StandIn(downloads={HERE: lose})

    assert isinstance(fetched(alipay, success(bill_download_url=HERE)), NotSent | Unknown)


def test_both_bills_are_declared() -> None:
    assert CHANNEL.capabilities.statement_kinds == set(StatementKind)


def test_a_refund_that_the_bill_calls_something_else_is_left_to_people() -> None:
    rows = (*TRADES, trade("调账", "payin_3", "1.00"))

    assert read(zipped(detail("trade", rows, TRADE_ENDING))).lines[-1].kind is LineKind.STRANGE
