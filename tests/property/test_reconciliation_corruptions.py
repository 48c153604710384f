"""In the bills of every channel, one line that is wrong comes out as exactly its kind of difference.

And a bill that is not whole, or is somebody else's, is refused with its reason, and moves nothing.

A fresh model makes two days of payments, refunds, payouts, returns and fees, some over midnight. It
posts them through the desk's own operations, and writes the bills in the channel's own form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import Phase, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from kuaitui.channels.port import Returned, Statement, StatementKind, Succeeded, Unknown
from kuaitui.kernel.money import Money
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.types import Brought, ReadingState, Source
from tests.support import given, payouts_given
from tests.support.alipay_bills import ACCOUNT as ALIPAY_ACCOUNT
from tests.support.bank_given import ACCOUNT, ANOTHER_ACCOUNT
from tests.support.given import CHANNEL, NOW
from tests.support.reconciliation_given import DAY, FUNDS, ONE_DAY, ZONE, Paper, at, breaks, compare
from tests.support.written_bills import (
    FORMS,
    MCHID,
    OPENING_MINOR,
    TRADE_FORMS,
    Form,
    Movement,
    yuan,
)

FIRST = DAY - ONE_DAY
LATER = NOW + dt.timedelta(hours=1)
MINORS = st.integers(1_00, 9_000_00)
# When something happens by our books, and when the bill has it: at once, or past midnight.
MOMENTS = st.sampled_from(
    [
        (at(9, day=FIRST), at(9, day=FIRST)),
        (at(23, 50, day=FIRST), at(23, 50, day=FIRST)),
        (at(23, 50, day=FIRST), at(0, 5)),
        (at(14), at(14)),
    ]
)
FATES = st.sampled_from(["pay_in", "refund", "payout", "payout and return"])
_numbers = count(1)


@dataclass(frozen=True)
class Wrong:
    """What is done to one line, and which difference that must be: of the line's event, if any."""

    name: str
    difference: str | None
    is_dangerous_if_out: bool = False


WRONGS = (
    Wrong("nothing", None),
    Wrong("dropped", "missing_in_bill"),
    Wrong("doubled", "duplicate", is_dangerous_if_out=True),
    Wrong("amount changed", "amount", is_dangerous_if_out=True),
    Wrong("moved a day", None),
    Wrong("of nobody", "missing_in_ledger", is_dangerous_if_out=True),
)


@dataclass
class Written(Paper):
    """A channel that reads its own form."""

    form: Form = FORMS[0]

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        return self.form.read(content)


@contextmanager
def a_world_of_its_own() -> Iterator[None]:
    """Undo an example's rows, so that the next one begins with nothing."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined] # durable operations run inside
    with block:
        yield
        transaction.set_rollback(True)


def happen(
    form: Form, fate: str, minor: int, ours: dt.datetime, theirs: dt.datetime
) -> list[Movement]:
    """Post one story in our books; returns what the channel's bill says of it."""
    number = next(_numbers)
    amount, reference = f"{Money(minor, 'CNY').to_decimal():f}", f"20261124{number:08d}"
    if fate == "pay_in":
        account = given.shop((), paid_days_ago=0).account_id
        given.pay_in(account, amount, reference=reference, paid_at=ours)
        paid = Movement("pay_in", f"order{number}", reference, minor, theirs)
        return [paid, *fees(form, paid, "fee")]
    world = payouts_given.payout(
        amount, deposit_=amount, route_open=fate == "refund", application_id=f"rfa_{number}",
        now=ours - ONE_DAY,
    )  # fmt: skip
    payouts_given.attempt(world, Succeeded(reference, ours), now=ours)
    ours_number = payouts.leg(world.leg_id).channel_number
    out = Movement(
        "refund" if fate == "refund" else "payout", ours_number, reference, minor, theirs
    )
    if fate == "refund":
        return [out, *fees(form, out, "fee_return")]
    if fate == "payout":
        return [out]
    payouts_given.attempt(
        world,
        Returned(reference, "ACCOUNT_CLOSED", at(20)),
        now=payouts_given.next_check_at(world),
    )
    return [out, replace(out, kind="return", at=at(20))]


def fees(form: Form, of: Movement, kind: str) -> list[Movement]:
    return (
        [replace(of, kind=kind, minor=max(of.minor * 6 // 1000, 1))] if kind in form.kinds else []
    )


@st.composite
def stories(draw: Any, form: Form) -> list[Movement]:
    fates = FATES.filter(lambda fate: set(fate.split(" and ")) <= form.kinds)
    found: list[Movement] = []
    for _ in range(draw(st.integers(1, 3))):
        found += happen(form, draw(fates), draw(MINORS), *draw(MOMENTS))
    return found


def spoil(movements: list[Movement], wrong: Wrong, chosen: Movement) -> list[Movement]:
    """The movements with one of them wrong."""
    others = [one for one in movements if one is not chosen]
    match wrong.name:
        case "nothing":
            return movements
        case "dropped":
            return others
        case "doubled":
            return [*movements, replace(chosen, at=chosen.at + dt.timedelta(minutes=1))]
        case "amount changed":
            return [*others, replace(chosen, minor=chosen.minor + 1)]
        case "moved a day":
            day = day_of(chosen)
            away = ONE_DAY if day == FIRST else -ONE_DAY
            return [*others, replace(chosen, at=at(12, day=day + away))]
        case _:
            return [*movements, replace(chosen, number="K9nobody", reference="K9nobody")]


def day_of(one: Movement) -> dt.date:
    return one.at.astimezone(ZONE).date()


def bring(form: Form, movements: Sequence[Movement]) -> None:
    for day in (FIRST, DAY):
        told = sorted((one for one in movements if day_of(one) == day), key=lambda one: one.at)
        if not told:
            operations.bring_empty(
                channel=CHANNEL, bill=form.bill, day=day, actor=given.clerk(), now=LATER
            )
            continue
        brought = operations.bring_file(
            channel=CHANNEL, reader=Written(form=form), bill=form.bill, day=day,
            content=form.write(day, told), file_name="", source=Source.IMPORTED,
            actor=given.clerk(), now=LATER,
        )  # fmt: skip
        assert brought.is_taken, brought.reason
    for day in (FIRST, DAY):
        compare(day=day, kind=form.bill, now=LATER)


@pytest.mark.django_db
@pytest.mark.parametrize("form", [*FORMS, *TRADE_FORMS], ids=lambda form: form.name)
@settings(max_examples=settings().max_examples // 5, phases=[Phase.explicit, Phase.generate])
@hypothesis_given(data=st.data(), wrong=st.sampled_from(WRONGS))
def test_one_wrong_line_is_exactly_its_difference(form: Form, data: Any, wrong: Wrong) -> None:
    with a_world_of_its_own():
        movements = data.draw(stories(form))
        chosen = data.draw(st.sampled_from([one for one in movements if "fee" not in one.kind]))

        bring(form, spoil(movements, wrong, chosen))

        found = queries.open_breaks()
        assert [one.kind.value for one in found] == expected_of(wrong, chosen)
        for one in found:
            is_out = chosen.kind in {"refund", "payout"}
            always = wrong.difference == "amount"
            assert one.is_dangerous == (wrong.is_dangerous_if_out and (is_out or always))
            assert wrong.name == "of nobody" or one.key in {chosen.number, chosen.reference}


def expected_of(wrong: Wrong, chosen: Movement) -> list[str]:
    if wrong.difference is None or (wrong.name == "of nobody" and chosen.kind == "pay_in"):
        return []  # a payment that nobody knows is set aside, and accounted for
    if wrong.name == "of nobody" and chosen.kind == "return":
        return ["return"]
    return [wrong.difference]


@pytest.mark.django_db
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@settings(max_examples=settings().max_examples // 10, phases=[Phase.explicit, Phase.generate])
@hypothesis_given(data=st.data())
def test_sound_bills_add_up_to_what_moved_with_the_fees_apart(form: Form, data: Any) -> None:
    with a_world_of_its_own():
        movements = data.draw(stories(form))

        bring(form, movements)

        assert breaks() == {}
        flows = [
            flow
            for day in (FIRST, DAY)
            for flow in queries.day_report(channel=CHANNEL, day=day, needed={FUNDS}).flows
        ]
        came_in, went_out = (
            sum(one.minor for one in movements if one.kind in kinds)
            for kinds in ({"pay_in", "return"}, {"refund", "payout"})
        )
        assert sum(flow.came_in.minor for flow in flows) == came_in
        assert sum(flow.went_out.minor for flow in flows) == went_out
        fees_minor = sum(flow.fees.minor for flow in flows)
        assert came_in - went_out - fees_minor == sum(one.signed_minor for one in movements)
        last = sum(one.signed_minor for one in movements if day_of(one) == DAY)
        assert {known.balance.minor for known in payouts.balances() if last} <= {
            OPENING_MINOR + last
        }


# By form and kind of line: another word of the channel for it, and what then differs. What came in
# under a payment's number is that payment, whatever the channel calls it; what went out is not.
BOTH = ["missing_in_bill", "missing_in_ledger"]
WORDS: dict[tuple[str, str], list[tuple[str, list[str]]]] = {
    ("wechatpay", "pay_in"): [("某种新业务", []), ("充值", ["missing_in_bill"])],
    ("wechatpay", "refund"): [("某种新业务", BOTH), ("提现", ["missing_in_bill"])],
    ("wechatpay", "payout"): [("某种新业务", BOTH)],
    ("alipay", "pay_in"): [("某种新业务", []), ("交易退款", ["state"])],
    ("alipay", "refund"): [("某种新业务", BOTH), ("在线支付", BOTH)],
    ("alipay", "payout"): [("转账退票", BOTH)],
    ("wechatpay trades", "pay_in"): [("REVOKED", ["state"])],
    ("wechatpay trades", "refund"): [
        ("FAIL", ["state"]),
        ("PROCESSING", ["state"]),
        ("CHANGE", ["state"]),
        ("某种新状态", BOTH),
    ],
    ("alipay trades", "pay_in"): [("调账", ["state"]), ("冻结", ["state"])],
    ("alipay trades", "refund"): [("调账", BOTH), ("交易撤销", BOTH)],
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "kind", "word", "expected"),
    [
        (form, kind, word, expected)
        for form in (*FORMS, *TRADE_FORMS)
        for kind in sorted(form.kinds)
        for word, expected in WORDS.get((form.name, kind), ())
    ],
    ids=lambda one: one.name if isinstance(one, Form) else str(one),
)
def test_a_line_under_another_word_is_never_silently_the_same(
    form: Form, kind: str, word: str, expected: list[str]
) -> None:
    told = happen(form, kind, 300_00, at(9), at(9)) + happen(form, kind, 200_00, at(9), at(9))

    bring(form, [replace(told[0], word=word), *told[1:]])

    found = queries.open_breaks()
    assert sorted(one.kind.value for one in found) == expected
    assert not any(one.is_dangerous for one in found)
    assert {one.key for one in found} <= {told[0].number, told[0].reference}


Harm = Callable[[Form, str, Movement], str]


def rows_of(form: Form, text: str) -> list[str]:
    """The lines of a bill; a bank's entries."""
    return (
        text.replace("<Ntry>", "\x00<Ntry>").replace("</Ntry>", "</Ntry>\x00").split("\x00")
        if form.name == "bank"
        else text.splitlines(keepends=True)
    )


def with_row(change: Callable[[str], str]) -> Harm:
    """A change of the row that tells of a movement."""

    def harm(form: Form, text: str, of: Movement) -> str:
        told = [of.number in row or of.reference in row for row in rows_of(form, text)]
        first = told.index(True)
        return "".join(
            change(row) if at == first else row for at, row in enumerate(rows_of(form, text))
        )

    return harm


def three_decimals(_form: Form, text: str, of: Movement) -> str:
    return text.replace(yuan(of.minor), f"{yuan(of.minor)}0")


def of_another(_form: Form, text: str, _of: Movement) -> str:
    others = {MCHID: "1900000110", ALIPAY_ACCOUNT: "20880000000000090156", ACCOUNT: ANOTHER_ACCOUNT}
    for ours, other in others.items():
        text = text.replace(ours, other)
    return text


HARMS: dict[str, Harm] = {
    "a row lost": with_row(lambda _: ""),
    "a row twice": with_row(lambda row: row * 2),
    "three decimals": three_decimals,
    "cut short": lambda _form, text, _of: text[: len(text) * 4 // 5],
    "of another account": of_another,
    "its first backtick lost": with_row(lambda row: row.replace("`", "", 1)),
    "an inner backtick lost": with_row(lambda row: row.replace(",`", ",", 1)),
    "all backticks lost": lambda _form, text, _of: text.replace("`", ""),
    "the totals wrong": lambda _form, text, _of: next(
        text.replace(right, wrong)
        for right, wrong in (
            ("CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">", "CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">1"),
            ("收入合计：", "收入合计：1"),
            ("交易合计：", "交易合计：1"),
            ("申请退款总金额\r\n`", "申请退款总金额\r\n`1"),
            ("支出金额\r\n`", "支出金额\r\n`1"),
        )
        if right in text
    ),
}  # fmt: skip
# No fund bill of WeChat Pay names its merchant: of another one's, each line would be a difference.
HARMLESS = {("wechatpay", "of another account")}


def harms_of(form: Form) -> list[str]:
    return [
        name
        for name in HARMS
        if (form.name, name) not in HARMLESS
        and ("backtick" not in name or form.name.startswith("wechatpay"))
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "harm"),
    [(form, harm) for form in (*FORMS, *TRADE_FORMS) for harm in harms_of(form)],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_a_bill_that_is_not_whole_and_ours_is_refused_and_moves_nothing(
    form: Form, harm: str
) -> None:
    told = [
        one
        for fate, minor in (("pay_in", 300_07), ("refund", 120_09), ("payout", 80_03))
        if fate in form.kinds
        for one in happen(form, fate, minor, at(9), at(9))
    ]
    sound = form.write(DAY, told)
    spoiled = form.packed(HARMS[harm](form, form.text(sound), told[0]))
    assert spoiled != sound
    before = books()

    brought = bring_one(form, spoiled)
    compare(kind=form.bill, now=LATER)

    assert (brought.is_taken, brought.state) == (False, ReadingState.REFUSED)
    assert brought.reason
    assert (queries.open_breaks(), books(), payouts.balances()) == ((), before, ())
    (file,) = queries.files_of_day(channel=CHANNEL, day=DAY)
    assert file.state is ReadingState.REFUSED
    again = bring_one(form, spoiled)
    assert (again.is_new, again.file_id) == (False, brought.file_id)
    assert bring_one(form, sound).is_taken


def bring_one(form: Form, content: bytes) -> Brought:
    return operations.bring_file(
        channel=CHANNEL, reader=Written(form=form), bill=form.bill, day=DAY, content=content,
        file_name="", source=Source.IMPORTED, actor=given.clerk(), now=LATER,
    )  # fmt: skip


def books() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_book ORDER BY 1")
        return list(cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_payout_that_the_bill_has_and_our_record_has_not_is_a_state(form: Form) -> None:
    world = payouts_given.payout("300", route_open=False, now=at(9))
    payouts_given.attempt(world, Unknown("timeout"), now=at(10))
    number = payouts.leg(world.leg_id).channel_number

    bring(form, [Movement("payout", number, "2026112400009999", 300_00, at(11))])

    assert breaks() == {number: "state"}


@pytest.mark.django_db
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_payout_that_came_back_unseen_is_a_return(form: Form) -> None:
    out, _ = happen(form, "payout and return", 300_00, at(9), at(9))
    other = happen(form, "payout", 200_00, at(9), at(9))

    bring(form, [out, replace(out, kind="return", at=at(20)), *other,
                 replace(other[0], kind="return", at=at(20))])  # fmt: skip

    assert breaks() == {other[0].number: "return"}
