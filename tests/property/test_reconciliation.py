"""Two books agree exactly when every number lies the same on both sides."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kuaitui.reconciliation.rules import compare
from kuaitui.reconciliation.types import BreakKind, WithPayee

AMOUNTS = st.integers(1, 10**9)
PAID = st.builds(
    lambda amount, returned: WithPayee(1, int(returned), 0 if returned else amount),
    AMOUNTS,
    st.booleans(),
)
BOOKS = st.dictionaries(st.text("0123456789", min_size=1, max_size=4), PAID, max_size=12)


@given(BOOKS)
def test_a_book_agrees_with_itself(book: dict[str, WithPayee]) -> None:
    comparison = compare(book, dict(book))

    assert comparison.is_proven
    assert (
        comparison.ours_minor == comparison.theirs_minor == sum(one.minor for one in book.values())
    )


@given(BOOKS, st.data())
def test_one_changed_number_is_the_one_break(
    book: dict[str, WithPayee], data: st.DataObject
) -> None:
    settled = [number for number, one in book.items() if one.minor]
    if not settled:
        return
    number = data.draw(st.sampled_from(settled))
    other = data.draw(AMOUNTS.filter(lambda minor: minor != book[number].minor))
    changed = {**book, number: replace(book[number], minor=other)}

    (found,) = compare(book, changed).breaks

    assert (found.kind, found.channel_number) == (BreakKind.AMOUNT, number)
    assert (found.ours_minor, found.theirs_minor) == (book[number].minor, other)


@given(BOOKS, AMOUNTS)
def test_what_only_one_side_paid_is_seen_from_both(book: dict[str, WithPayee], amount: int) -> None:
    more = {**book, "only": WithPayee(1, 0, amount)}

    assert [one.kind for one in compare(more, book).breaks] == [BreakKind.MISSING_AT_CHANNEL]
    assert [one.kind for one in compare(book, more).breaks] == [BreakKind.MISSING_IN_LEDGER]


@given(BOOKS, AMOUNTS)
def test_a_number_paid_twice_is_seen_even_when_both_sides_say_so(
    book: dict[str, WithPayee], amount: int
) -> None:
    twice = {**book, "twice": WithPayee(2, 0, 2 * amount)}

    assert [one.kind for one in compare(twice, twice).breaks] == [BreakKind.PAID_TWICE]
