"""Bills: fetched with their hash checked, read with every cell and total checked."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kuaitui.channels.port import (
    LineKind,
    RejectedConfig,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementLine,
    StatementNotReady,
    StatementRefused,
    Unknown,
)
from kuaitui.channels.wechatpay.bills import (
    FUND_COLUMNS,
    FUND_TOTALS,
    TRADE_COLUMNS,
    TRADE_TOTALS,
    read_bill,
)
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import MCHID, Answer, answer, channel, refusal, unsigned

DEADLINE_S = 5.0
DAY = dt.date(2026, 2, 28)

# A part of wechatpay-apiv3/wechatpay-php, tests/fixtures/bill.ALL.csv, with its totals for that part.
PUBLISHED = """\
交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注
`2019-02-19 05:01:46,`wxab8acd895ab1638a,`1921000401,`0,`harryma007,`4200000263201902167700134212,`autotest_20190216081946_82335,`oHkLxtx0vUqe-18p_AXTZ1innxkCY,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50000709672019011908420787722,`REF4200000263201902167700963919,`0.01,`0.00,`ORIGINAL,`SUCCESS,`系统拨测-cheeryin-test_micropay_succ,`,`0.00000,`39.00%,`0.00,`0.01,`
`2019-02-19 01:52:32,`wxab8acd895ab1638a,`1921000401,`0,`,`4200000263201902167700134902,`autotest_20190219015232_89201,`wxab8acb865bb1637e,`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.03,`0.00,`0,`0,`0.00,`0.00,`,`,`autotest,`,`0.01000,`39.00%,`0.03,`0.00,`
总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额
`2.0,`0.03,`0.01,`0.0,`0.01,`0.03,`0.01
"""  # noqa: E501

Movement = tuple[str, int, int]
"""State, amount, fee."""


def yuan(fen: int) -> str:
    sign, fen = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def line(cells: Sequence[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def trade_row(number: int, movement: Movement, **changes: str) -> str:
    state, amount, fee = movement
    is_refund = state == "REFUND"
    cells = dict.fromkeys(TRADE_COLUMNS, "") | {
        "交易时间": f"{DAY} 08:00:{number % 60:02d}",
        "商户号": MCHID,
        "微信订单号": f"42{number}",
        "商户订单号": f"KTP{number}",
        "交易状态": state,
        "货币种类": "CNY",
        "应结订单金额": "0.00" if is_refund else yuan(amount),
        "微信退款单号": f"50{number}" if is_refund else "0",
        "商户退款单号": f"KTR{number}" if is_refund else "0",
        "退款金额": yuan(amount) if is_refund else "0.00",
        "充值券退款金额": "0.00",
        "退款状态": "SUCCESS" if is_refund else "",
        "商品名称": "保证金, 一号店",
        "手续费": yuan(fee),
        "订单金额": "0.00" if is_refund else yuan(amount),
        "申请退款金额": yuan(amount) if is_refund else "0.00",
    }
    return line(list((cells | changes).values()))


def trade_bill(movements: Sequence[Movement], *, rows: Sequence[str] | None = None) -> bytes:
    paid = sum(amount for state, amount, _ in movements if state != "REFUND")
    refunded = sum(amount for state, amount, _ in movements if state == "REFUND")
    fees = sum(fee for _, _, fee in movements)
    totals = [
        str(len(movements)), yuan(paid), yuan(refunded), "0.00", yuan(fees), yuan(paid), yuan(refunded),
    ]  # fmt: skip
    written = rows or [trade_row(number, one) for number, one in enumerate(movements)]
    text = [",".join(TRADE_COLUMNS), *written, ",".join(TRADE_TOTALS), line(totals)]
    return ("\ufeff" + "\r\n".join(text) + "\r\n").encode()


def fund_row(number: int, kind: str, direction: str, amount: int, **changes: str) -> str:
    cells = {
        "记账时间": f"{DAY} 09:00:{number % 60:02d}",
        "微信支付业务单号": f"50{number}",
        "资金流水单号": f"19{number}",
        "业务名称": kind,
        "业务类型": kind,
        "收支类型": direction,
        "收支金额(元)": yuan(amount),
        "账户结余(元)": "100.00",
        "资金变更提交申请人": "system",
        "备注": "退款总金额0.01元;含手续费0.00元",
        "业务凭证号": f"KTR{number}",
    }
    return line(list((cells | changes).values()))


def fund_bill(movements: Sequence[tuple[str, str, int]], *, header: str = "") -> bytes:
    income = [amount for _, direction, amount in movements if direction == "收入"]
    expense = [amount for _, direction, amount in movements if direction == "支出"]
    rows = [fund_row(number, *one) for number, one in enumerate(movements)]
    totals = [
        f"{len(movements)}.0", f"{len(income)}.0", yuan(sum(income)), f"{len(expense)}.0", yuan(sum(expense)),
    ]  # fmt: skip
    text = [header or ",".join(FUND_COLUMNS), *rows, ",".join(FUND_TOTALS), line(totals)]
    return ("\n".join(text) + "\n").encode()


def trades(content: bytes) -> tuple[StatementLine, ...]:
    return read_bill(StatementKind.TRADES, content, mchid=MCHID).lines


def test_the_official_library_s_bill_is_read() -> None:
    bill = read_bill(StatementKind.TRADES, PUBLISHED.encode(), mchid="1921000401")

    refunded_at = dt.datetime(2019, 2, 18, 21, 1, 46, tzinfo=dt.UTC)
    paid_at = dt.datetime(2019, 2, 18, 17, 52, 32, tzinfo=dt.UTC)
    refund = ("REF4200000263201902167700963919", "50000709672019011908420787722")
    payment = ("autotest_20190219015232_89201", "4200000263201902167700134902")
    fen = Money(1, "CNY")
    assert (bill.account, bill.day) == ("1921000401", dt.date(2019, 2, 19))
    assert bill.lines == (
        StatementLine(2, LineKind.REFUND, *refund, fen, refunded_at, "SUCCESS"),
        StatementLine(3, LineKind.PAY_IN, *payment, Money(3, "CNY"), paid_at, "SUCCESS"),
        StatementLine(3, LineKind.FEE, *payment, fen, paid_at, "手续费"),
    )


MOVEMENTS = st.lists(
    st.tuples(
        st.sampled_from(["SUCCESS", "REFUND"]),
        st.integers(1, 10**11),
        st.integers(-(10**9), 10**9),
    ),
    min_size=1,
    max_size=8,
)


@given(movements=MOVEMENTS, packed=st.booleans())
def test_writing_and_reading_a_bill_loses_no_fen(movements: list[Movement], packed: bool) -> None:
    content = trade_bill(movements)

    lines = trades(gzip.compress(content) if packed else content)

    moved = [
        (("SUCCESS" if one.kind is LineKind.PAY_IN else "REFUND"), one.amount.minor)
        for one in lines
        if one.kind in {LineKind.PAY_IN, LineKind.REFUND}
    ]
    fees = sum(
        one.amount.minor if one.kind is LineKind.FEE else -one.amount.minor
        for one in lines
        if one.kind in {LineKind.FEE, LineKind.FEE_RETURN}
    )
    assert moved == [(state, amount) for state, amount, _ in movements]
    assert fees == sum(fee for _, _, fee in movements)


@given(movements=MOVEMENTS, choice=st.data())
def test_a_bill_with_a_line_lost_or_doubled_is_refused(
    movements: list[Movement], choice: st.DataObject
) -> None:
    rows = [trade_row(number, one) for number, one in enumerate(movements)]
    which = choice.draw(st.integers(0, len(rows) - 1))
    changed = choice.draw(
        st.sampled_from([[*rows[:which], *rows[which + 1 :]], [*rows, rows[which]]])
    )

    with pytest.raises(StatementRefused):
        trades(trade_bill(movements, rows=changed or [""]))


@given(movements=MOVEMENTS, choice=st.data())
def test_a_changed_digit_of_money_is_refused(
    movements: list[Movement], choice: st.DataObject
) -> None:
    content = bytearray(trade_bill(movements))
    money = [
        at for at, byte in enumerate(content)
        if chr(byte).isdigit() and b"." in content[at - 3 : at + 4].split(b",")[-1]
    ]  # fmt: skip
    at = choice.draw(st.sampled_from(money))
    digit = ord(choice.draw(st.sampled_from("0123456789")))
    assume(digit != content[at])
    before = trades(bytes(content))
    content[at] = digit

    try:
        after = trades(bytes(content))
    except StatementRefused:
        return
    # A cell that is not counted (a coupon, a rate) may change: then no line of ours has changed.
    assert [one.amount for one in after] == [one.amount for one in before]


ONE: list[Movement] = [("SUCCESS", 1234, 7)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"订单金额": "12.345"}, "more than two decimals"),
        ({"订单金额": "12.340"}, "more than two decimals"),
        ({"订单金额": "12,34"}, "an amount that is none"),
        ({"订单金额": "1e3"}, "an amount that is none"),
        ({"订单金额": ""}, "an amount that is none"),
        ({"订单金额": "١٢.٣٤"}, "an amount that is none"),
        ({"订单金额": "0.00"}, "not positive"),
        ({"订单金额": "-12.34"}, "not positive"),
        ({"订单金额": "12.35"}, "订单总金额 is not the sum"),
        ({"手续费": "0.07500"}, "more than two decimals"),
        ({"商户号": "1900000110"}, "another merchant"),
        ({"货币种类": "USD"}, "another currency"),
        ({"交易时间": "2026-02-28"}, "a time that is none"),
        ({"交易时间": "2026-02-30 08:00:00"}, "a time that is none"),
        ({"商品名称": "a,`b"}, "28 cells where 27 belong"),
    ],
)
def test_a_line_that_is_not_sound_is_refused(change: dict[str, str], reason: str) -> None:
    with pytest.raises(StatementRefused, match=reason) as refused:
        trades(trade_bill(ONE, rows=[trade_row(0, ONE[0], **change)]))

    assert refused.value.line_no in {2, 4}


def test_a_line_of_another_day_is_refused_with_its_number() -> None:
    two: list[Movement] = [("SUCCESS", 1, 0), ("SUCCESS", 2, 0)]
    rows = [trade_row(0, two[0]), trade_row(1, two[1], 交易时间="2026-03-01 00:00:00")]

    with pytest.raises(StatementRefused, match="another day") as refused:
        trades(trade_bill(two, rows=rows))

    assert refused.value.line_no == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("交易时间,公众账号ID", "公众账号ID,交易时间", "not the columns"),
        (",费率备注", "", "not the columns"),
        (",费率备注", ",费率备注,新列", "not the columns"),
        ("总交易单数", "总单数", "totals are missing"),
        ("`1,`12.34", "`2,`12.34", "not the number of lines"),
        ("`1,`12.34", "`one,`12.34", "number of lines that is none"),
        ("`1,`12.34", "1,`12.34", "without its backtick"),
        ("`2026-02-28 08", "2026-02-28 08", "without its backtick"),
    ],
)
def test_a_bill_of_another_form_is_refused(old: str, new: str, reason: str) -> None:
    text = trade_bill(ONE).decode()
    assert old in text

    with pytest.raises(StatementRefused, match=reason):
        trades(text.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\x1f\x8b not gzip",
        gzip.compress(trade_bill(ONE))[:-9],
        gzip.compress(trade_bill(ONE)) + b"more",
        trade_bill([]),
        trade_bill(ONE)[: len(trade_bill(ONE)) // 2],
        b'{"code":"SYSTEM_ERROR"}',
    ],
    ids=["empty", "not text", "not gzip", "cut gzip", "longer gzip", "no lines", "cut", "an error"],
)
def test_what_is_no_whole_bill_is_refused(content: bytes) -> None:
    with pytest.raises(StatementRefused):
        trades(content)


def test_a_file_that_unpacks_to_more_than_any_bill_is_refused() -> None:
    with pytest.raises(StatementRefused, match="larger than any bill"):
        trades(gzip.compress(b"\0" * (64 * 1024 * 1024 + 1), compresslevel=1))


def test_a_fee_that_comes_back_with_a_refund_says_so() -> None:
    refund, fee = trades(trade_bill([("REFUND", 500, -3)]))

    assert (refund.kind, refund.amount) == (LineKind.REFUND, Money(500, "CNY"))
    assert (fee.kind, fee.amount) == (LineKind.FEE_RETURN, Money(3, "CNY"))
    assert fee.state == "手续费退回"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("SUCCESS", LineKind.REFUND),
        ("PROCESSING", LineKind.REFUND_BEGUN),
        ("CHANGE", LineKind.REFUND_BEGUN),
        ("FAIL", LineKind.REFUND_FAILED),
        ("", LineKind.STRANGE),
        ("某种新状态", LineKind.STRANGE),
    ],
)
def test_a_refund_is_one_only_when_the_bill_says_that_it_was_done(
    word: str, kind: LineKind
) -> None:
    refund: list[Movement] = [("REFUND", 500, 0)]

    (one,) = trades(trade_bill(refund, rows=[trade_row(0, refund[0], 退款状态=word)]))

    assert (one.kind, one.state) == (kind, word)


def test_an_order_undone_at_a_till_does_not_make_the_bill_unreadable() -> None:
    (one,) = trades(trade_bill([("REVOKED", 500, 0)]))

    assert (one.kind, one.state) == (LineKind.STRANGE, "REVOKED")


@pytest.mark.parametrize(
    ("kind", "direction", "expected"),
    [
        ("交易", "收入", LineKind.PAY_IN),
        ("退款", "支出", LineKind.REFUND),
        ("扣除交易手续费", "支出", LineKind.FEE),
        ("退回交易手续费", "收入", LineKind.FEE_RETURN),
        ("商家转账", "支出", LineKind.PAYOUT),
        ("商家转账", "收入", LineKind.RETURN),
        ("充值", "收入", LineKind.TRANSFER),
        ("提现", "支出", LineKind.TRANSFER),
        ("退款", "收入", LineKind.OTHER),
        ("某种新业务", "支出", LineKind.STRANGE),
        ("某种新业务", "收入", LineKind.OTHER),
    ],
)
def test_a_movement_of_cash_is_told_by_its_type_and_direction(
    kind: str, direction: str, expected: LineKind
) -> None:
    bill = read_bill(StatementKind.FUNDS, fund_bill([(kind, direction, 1234)]), mchid=MCHID)

    assert bill.lines == (
        StatementLine(
            2, expected, "KTR0", "500", Money(1234, "CNY"),
            dt.datetime(2026, 2, 28, 1, tzinfo=dt.UTC), f"{kind} {direction}",
        ),
    )  # fmt: skip


def test_a_fund_bill_may_write_its_header_with_wide_brackets() -> None:
    header = ",".join(FUND_COLUMNS).replace("(", "（").replace(")", "）")

    bill = read_bill(
        StatementKind.FUNDS, fund_bill([("退款", "支出", 1)], header=header), mchid=MCHID
    )

    assert bill.lines[0].kind is LineKind.REFUND


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("`支出,", "`收支,", "neither income nor expense"),
        ("`支出,", "`收入,", "收入笔数 is not the number"),
        ("`2.0,`1.0,", "`2.0,`2.0,", "收入笔数 is not the number"),
        ("`3.00,`1.0,", "`3.01,`1.0,", "收入金额 is not the sum"),
        ("`0.02,`100.00", "`0.03,`100.00", "支出金额 is not the sum"),
    ],
)
def test_the_totals_of_a_fund_bill_are_its_sums(old: str, new: str, reason: str) -> None:
    text = fund_bill([("交易", "收入", 300), ("退款", "支出", 2)]).decode()
    assert old in text

    with pytest.raises(StatementRefused, match=reason):
        read_bill(StatementKind.FUNDS, text.replace(old, new, 1).encode(), mchid=MCHID)


def test_one_kind_of_bill_is_not_read_as_the_other() -> None:
    with pytest.raises(StatementRefused):
        read_bill(StatementKind.FUNDS, trade_bill(ONE), mchid=MCHID)


# Fetching.

URL = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a-token&tartype=gzip"


def announced(content: bytes, **changes: Any) -> Answer:
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return answer({"hash_type": "SHA1", "hash_value": digest, "download_url": URL} | changes)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_a_bill_comes_as_it_was_sent_with_its_hash_checked(packed: bool) -> None:
    plain = trade_bill(ONE)
    content = gzip.compress(plain) if packed else plain
    adapter, fake = channel(announced(plain), unsigned(content))

    fetched = adapter.fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S)

    ending = "csv.gz" if packed else "csv"
    assert fetched == StatementFetched(content, f"wechatpay-{MCHID}-trades-2026-02-28.{ending}")
    assert fake.paths == [
        "GET /v3/bill/tradebill?bill_date=2026-02-28&bill_type=ALL&tar_type=GZIP",
        "GET /v3/billdownload/file?token=a-token&tartype=gzip",
    ]
    assert fake.requests[1].headers["Authorization"].startswith("WECHATPAY2-SHA256-RSA2048 ")
    assert adapter.read_statement(StatementKind.TRADES, content).lines == trades(plain)


def test_the_fund_bill_is_of_the_account_that_the_settings_name() -> None:
    adapter, fake = channel(refusal(400, "NO_STATEMENT_EXIST"), fund_account="OPERATION")

    fetched = adapter.fetch_statement(StatementKind.FUNDS, DAY, deadline_s=DEADLINE_S)

    assert fetched == StatementEmpty()
    assert fake.paths == [
        "GET /v3/bill/fundflowbill?bill_date=2026-02-28&account_type=OPERATION&tar_type=GZIP"
    ]


@given(position=st.integers(0, len(trade_bill(ONE)) - 1), flip=st.integers(1, 255))
def test_a_bill_with_any_byte_changed_on_the_way_is_not_taken(position: int, flip: int) -> None:
    plain = trade_bill(ONE)
    changed = bytearray(plain)
    changed[position] ^= flip
    adapter, _ = channel(announced(plain), unsigned(bytes(changed)))

    fetched = adapter.fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S)

    assert isinstance(fetched, Unknown)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.mch.weixin.qq.com.evil.example/v3/billdownload/file?token=1",
        "https://evil.example/v3/billdownload/file",
        "http://api.mch.weixin.qq.com/v3/billdownload/file",
        "https://api.mch.weixin.qq.com:8443/v3/billdownload/file",
        "https://api.mch.weixin.qq.com@evil.example/file",
        "https://user:word@api.mch.weixin.qq.com/file",
        "file:///etc/passwd",
        "//evil.example/file",
        "not a url \x00",
        "https://api.mch.weixin.qq.com/" + "x" * 3000,
        None,
        7,
    ],
)
def test_our_signature_goes_to_no_other_host(url: object) -> None:
    adapter, fake = channel(announced(b"", download_url=url))

    fetched = adapter.fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S)

    assert fetched == Unknown("download_unfit")
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "change", [{"hash_type": "MD5"}, {"hash_value": "abc"}, {"hash_value": None}]
)
def test_a_bill_without_a_hash_we_can_check_is_not_fetched(change: dict[str, Any]) -> None:
    adapter, fake = channel(announced(b"", **change))

    fetched = adapter.fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S)

    assert fetched == Unknown("download_unfit")
    assert len(fake.requests) == 1


def break_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("broken")


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([refusal(400, "NO_STATEMENT_EXIST")], StatementEmpty()),
        ([refusal(404, "NO_STATEMENT_EXIST")], StatementEmpty()),
        ([refusal(500, "NO_STATEMENT_EXIST")], Unknown("http_500_NO_STATEMENT_EXIST")),
        ([refusal(400, "STATEMENT_CREATING")], StatementNotReady()),
        ([refusal(400, "INVALID_REQUEST")], Unknown("http_400_INVALID_REQUEST")),
        ([refusal(403, "NO_AUTH")], RejectedConfig("NO_AUTH")),
        ([unsigned(b'{"code":"NO_STATEMENT_EXIST"}', 400)], Unknown("signature_missing")),
        ([announced(b"text"), unsigned(b"", 404)], Unknown("http_404")),
        ([announced(b"text"), break_off], Unknown("read_error")),
        ([announced(b"text"), unsigned(b"\x1f\x8bbroken")], Unknown("file_unsound")),
        ([announced(b"text"), unsigned(b"other text")], Unknown("hash_mismatch")),
    ],
)
def test_each_answer_about_a_bill_has_one_meaning(answers: list[Answer], outcome: object) -> None:
    adapter, _ = channel(*answers)

    assert adapter.fetch_statement(StatementKind.TRADES, DAY, deadline_s=DEADLINE_S) == outcome


@pytest.mark.parametrize(
    ("day", "is_asked"),
    [
        (dt.date(2026, 2, 28), True),
        (dt.date(2026, 3, 1), True),
        (dt.date(2026, 3, 2), False),
        (dt.date(2026, 3, 3), False),
    ],
)
def test_nobody_is_asked_for_a_bill_before_ten_of_the_next_day(
    day: dt.date, is_asked: bool
) -> None:
    # It is 12:05 in Beijing on 2 March.
    adapter, fake = channel(*[refusal(400, "NO_STATEMENT_EXIST")] * is_asked)

    fetched = adapter.fetch_statement(StatementKind.TRADES, day, deadline_s=DEADLINE_S)

    assert fetched == (StatementEmpty() if is_asked else StatementNotReady())
    assert len(fake.requests) == is_asked
