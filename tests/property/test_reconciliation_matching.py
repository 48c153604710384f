"""What is found differing does not depend on any order, and is what a naive model finds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from kuaitui.channels.port import LineKind, StatementKind
from kuaitui.deposits import operations as deposits
from kuaitui.kernel.money import Money
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.rules import classify
from kuaitui.reconciliation.types import DifferenceKind, Event, Item, Ours, Source, Theirs
from tests.support import given
from tests.support.reconciliation_given import DAY, FUNDS, ONE_DAY, ZONE, Paper, at, bill

DAYS = (DAY - ONE_DAY, DAY, DAY + ONE_DAY)
TODAY = DAY + 2 * ONE_DAY
NOW = at(12, day=TODAY)
KEYS = ("K1", "K2", "K3", "K4")
AMOUNTS = st.sampled_from([100, 250, 300, 400])
HOURS = {"noon": dt.time(12), "early": dt.time(0, 30), "late": dt.time(23, 30)}
_channels = count(1)


@dataclass(frozen=True)
class Payment:
    """A payment in our books."""

    minor: int
    day: dt.date
    hour: str


Books = dict[str, Payment]
Bills = dict[dt.date, list[tuple[str, int]]]
BOOKS = st.dictionaries(
    st.sampled_from(KEYS),
    st.builds(Payment, AMOUNTS, st.sampled_from(DAYS), st.sampled_from(sorted(HOURS))),
)


@st.composite
def bills_about(draw: Any, books: Books) -> Bills:
    """Bills that mostly tell what the books say, with lines lost, doubled, split, moved, strange."""
    lines: Bills = {day: [] for day in DAYS}
    for key, payment in books.items():
        for minor in draw(
            st.sampled_from(
                [
                    [payment.minor],
                    [],
                    [payment.minor] * 2,
                    [payment.minor - 40, 40],
                    [payment.minor + 1],
                    [payment.minor - 60, 40],
                ]
            )
        ):
            lines[draw(st.sampled_from([payment.day] * 3 + list(DAYS)))].append((key, minor))
    for key in draw(st.sets(st.sampled_from(["S1", "S2"]))):
        lines[draw(st.sampled_from(DAYS))].append((key, draw(AMOUNTS)))
    return {day: draw(st.permutations(lines[day])) for day in DAYS}


def model(books: Books, bills: Bills) -> dict[str, str]:
    """What differs, found the slow and obvious way once all three bills are here."""
    found = {}
    told: dict[str, list[int]] = {}
    for lines in bills.values():
        for key, minor in lines:
            told.setdefault(key, []).append(minor)
    for key in books.keys() | told.keys():
        payment, amounts = books.get(key), told.get(key, [])
        if payment is None:
            found[key] = "missing_in_ledger"
        elif not amounts:
            waits = payment.hour == "late" and payment.day == DAYS[-1]
            found[key] = "timing" if waits else "missing_in_bill"
        elif sum(amounts) != payment.minor:
            is_too_much = len(amounts) > 1 and sum(amounts) > payment.minor
            found[key] = "duplicate" if is_too_much else "amount"
    return found


def post(books: Books, channel: str) -> None:
    account = given.shop((), paid_days_ago=0).account_id
    for key, payment in books.items():
        moment = dt.datetime.combine(payment.day, HOURS[payment.hour], ZONE)
        deposits.record_pay_in(
            account_id=account, amount=Money(payment.minor, "CNY"), channel=channel,
            channel_reference=key, paid_at=moment, refundable_until=None,
            actor=given.clerk(), now=NOW,
        )  # fmt: skip


def bring(channel: str, day: dt.date, lines: list[tuple[str, int]], *, kind: str) -> None:
    told = [
        {
            "kind": kind, "number": f"order-{key}", "reference": key, "currency": "CNY",
            "amount": f"{Money(minor, 'CNY').to_decimal():f}", "at": at(12, day=day).isoformat(),
            "state": "",
        }
        for key, minor in lines
    ]  # fmt: skip
    operations.bring_file(
        channel=channel, reader=Paper(), bill=FUNDS, day=day, content=bill(*told, day=day),
        file_name="", source=Source.IMPORTED, actor=given.clerk(), now=NOW,
    )  # fmt: skip


def compare(channel: str, day: dt.date) -> None:
    operations.compare_bill(channel=channel, bill=FUNDS, day=day, zone=ZONE, today=TODAY, now=NOW)


@pytest.mark.django_db
# Not made smaller: every example is small, and a database makes shrinking slow. Two in five of what
# the profile allows, for the same reason.
@settings(max_examples=settings().max_examples * 2 // 5, phases=[Phase.explicit, Phase.generate])
@hypothesis_given(st.data())
def test_the_database_finds_what_the_model_finds_in_any_order(data: Any) -> None:
    books = data.draw(BOOKS)
    bills = data.draw(bills_about(books))
    channel = f"channel-{next(_channels)}"
    is_posted_first = data.draw(st.booleans())
    # What a bill tells first and calls a payment is set aside; what nobody mapped waits for us.
    kind = "pay_in" if is_posted_first else "other"
    if is_posted_first:
        post(books, channel)

    for day in data.draw(st.permutations(DAYS)):
        bring(channel, day, bills[day], kind=kind)
        compare(channel, day)
    if not is_posted_first:
        post(books, channel)
        for day in data.draw(st.permutations(DAYS)):
            compare(channel, day)

    found = {one.key: one.kind.value for one in queries.open_breaks(channel=channel)}
    expected = model(books, bills)
    if is_posted_first:
        expected = {key: what for key, what in expected.items() if what != "missing_in_ledger"}
    assert found == expected
    differing = sum(one.theirs.minor for one in queries.open_breaks(channel=channel))
    told = sum(minor for day in DAYS for key, minor in bills[day] if key in found)
    assert differing == told


MOMENT = at(12)
OURS = Ours("lot", 1, "pay_in", "CNY", 300, MOMENT, 300, "paid")
LINES = st.lists(
    st.builds(
        lambda minor, number: Theirs(DAY, number, minor, "CNY", MOMENT, "", "bil", LineKind.PAY_IN),
        st.integers(1, 400),
        st.integers(1, 9),
    ),
    max_size=5,
)


def judge(item: Item) -> object:
    found = classify(item, bill=FUNDS, zone=ZONE, today=TODAY, bills=frozenset(DAYS))
    return found and (found.kind, found.theirs_minor)


@hypothesis_given(LINES, st.randoms(use_true_random=False), st.sampled_from(Event), st.booleans())
def test_the_order_of_lines_does_not_matter(
    lines: list[Theirs], random: Any, event: Event, is_known: bool
) -> None:
    shuffled = random.sample(lines, len(lines))
    item = Item(event, "K", OURS if is_known else None, tuple(lines))

    assert judge(item) == judge(replace(item, lines=tuple(shuffled)))


@hypothesis_given(LINES)
def test_it_agrees_exactly_when_what_is_told_adds_up_to_what_is_posted(lines: list[Theirs]) -> None:
    agrees = judge(Item(Event.PAY_IN, "K", OURS, tuple(lines))) is None

    assert agrees == (sum(line.minor for line in lines) == 300)


@hypothesis_given(LINES.filter(bool))
def test_what_nobody_posted_is_never_taken_for_agreement(lines: list[Theirs]) -> None:
    found = classify(
        Item(Event.OUT, "K", replace(OURS, posted_minor=None, answered_at=None), tuple(lines)),
        bill=FUNDS, zone=ZONE, today=TODAY, bills=frozenset(DAYS),
    )  # fmt: skip

    assert found is not None
    assert found.kind in {DifferenceKind.STATE, DifferenceKind.DUPLICATE}


REFUNDED = replace(OURS, line_kind="refund", word="paid")
UNSEEN = replace(REFUNDED, posted_minor=None, answered_at=None)
BEGUN, FAILED = LineKind.REFUND_BEGUN, LineKind.REFUND_FAILED


@pytest.mark.parametrize(
    ("ours", "told", "difference"),
    [
        (REFUNDED, [BEGUN], DifferenceKind.STATE),
        (replace(REFUNDED, answered_at=MOMENT + ONE_DAY), [BEGUN], None),
        (replace(REFUNDED, answered_at=MOMENT + ONE_DAY, posted_minor=299), [BEGUN], "amount"),
        (replace(UNSEEN, word="unknown"), [BEGUN], None),
        (replace(UNSEEN, word="failed"), [BEGUN], None),
        (replace(UNSEEN, word="ready"), [BEGUN], DifferenceKind.STATE),
        (replace(UNSEEN, word="cancelled"), [BEGUN], DifferenceKind.STATE),
        (None, [BEGUN], DifferenceKind.MISSING_IN_LEDGER),
        (REFUNDED, [FAILED], DifferenceKind.STATE),
        (REFUNDED, [FAILED, LineKind.REFUND], None),
        (replace(UNSEEN, word="failed"), [FAILED], None),
        (replace(UNSEEN, word="unknown"), [FAILED], None),
        (None, [FAILED], DifferenceKind.MISSING_IN_LEDGER),
        (REFUNDED, [LineKind.STRANGE], DifferenceKind.STATE),
    ],
)
def test_a_refund_is_done_only_where_the_bill_says_so(
    ours: Ours | None, told: list[LineKind], difference: DifferenceKind | str | None
) -> None:
    lines = [Theirs(DAY, no, 300, "CNY", MOMENT, "", "bil", kind) for no, kind in enumerate(told)]

    found = classify(
        Item(Event.OUT, "K", ours, tuple(lines)),
        bill=StatementKind.TRADES, zone=ZONE, today=TODAY, bills=frozenset(DAYS),
    )  # fmt: skip

    assert (found and found.kind) == difference
