"""Ids, refusals, invariants, actors and the clock."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kernel.ids import ALPHABET, IdPrefix, is_id, new_id
from kuaitui.kernel.invariants import InvariantViolated, ensure

NOW = dt.datetime(2026, 11, 23, 2, 0, 0, 123_000, tzinfo=dt.UTC)
moments = st.datetimes(timezones=st.just(dt.UTC)).filter(lambda moment: moment.year > 1970)


@given(st.sampled_from(IdPrefix), moments)
def test_an_id_has_the_shape_of_its_kind_and_of_no_other(prefix, now):
    made = new_id(prefix, now=now)

    assert is_id(made, prefix)
    assert not any(is_id(made, other) for other in IdPrefix if other != prefix)
    assert len(made) == len(prefix) + 1 + 26


@given(moments, moments)
def test_ids_sort_by_the_time_they_were_made(one, other):
    earlier, later = sorted((one, other))
    if later - earlier < dt.timedelta(milliseconds=2):
        return

    first = new_id(IdPrefix.PAYOUT, now=earlier, entropy=lambda count: b"\xff" * count)
    second = new_id(IdPrefix.PAYOUT, now=later, entropy=lambda count: b"\x00" * count)

    assert first < second


def test_ids_of_one_moment_differ():
    assert len({new_id(IdPrefix.PAYOUT_LEG, now=NOW) for _ in range(1_000)}) == 1_000


def test_every_random_bit_reaches_the_id():
    ids = {
        new_id(IdPrefix.PAYOUT, now=NOW, entropy=lambda count, bit=bit: (1 << bit).to_bytes(count))
        for bit in range(80)
    }

    assert len(ids) == 80


@given(st.text(max_size=40))
def test_no_other_text_passes_for_an_id(text):
    letters = text.removeprefix("rfa_")
    looks_right = (
        text.startswith("rfa_")
        and len(letters) == 26
        and all(letter in ALPHABET for letter in letters)
    )

    assert is_id(text, IdPrefix.REFUND_APPLICATION) == looks_right


@pytest.mark.parametrize("tail", ["\n", " ", "é", "0", "/..", "\x00"])
def test_an_id_with_something_behind_it_is_no_id(tail):
    assert not is_id(new_id(IdPrefix.USER, now=NOW) + tail, IdPrefix.USER)


def test_prefixes_are_unique_and_readable():
    assert len({prefix.value for prefix in IdPrefix}) == len(IdPrefix)
    assert all(
        prefix.isalpha() and prefix.islower() and 2 <= len(prefix) <= 4 for prefix in IdPrefix
    )


class TooLate(Refusal):
    """The day has passed, and
    nothing can be done.

    This second paragraph is for the reader of the code.
    """

    code = "test.too_late"
    kind = RefusalKind.CONFLICT


def test_a_refusal_says_its_first_paragraph_in_one_line():
    refusal = TooLate(case="rfa_1", days=3)

    assert refusal.message == "The day has passed, and nothing can be done."
    assert str(refusal) == (
        "test.too_late: The day has passed, and nothing can be done. (case=rfa_1, days=3)"
    )
    assert refusal.details == {"case": "rfa_1", "days": 3}
    assert str(TooLate()) == "test.too_late: The day has passed, and nothing can be done."


def _refusals(of=Refusal):
    for refusal in of.__subclasses__():
        yield refusal
        yield from _refusals(refusal)


@pytest.mark.django_db
def test_every_refusal_has_a_code_of_its_own_and_a_sentence(django_db_setup):
    import kuaitui.config.urls  # noqa: F401 - loads every context

    ours = [refusal for refusal in _refusals() if refusal.__module__.startswith("kuaitui.")]
    codes = [refusal.code for refusal in ours]

    assert len(ours) > 10
    assert sorted(codes) == sorted(set(codes))
    for refusal in ours:
        context, _, reason = refusal.code.partition(".")
        assert context, refusal
        assert reason, refusal
        assert refusal.__doc__, refusal
        assert (refusal.__doc__ or "").split("\n\n")[0].strip().endswith((".", "!", "?")), refusal


def test_a_broken_invariant_stops_and_says_what_must_be_true():
    ensure(True, "money adds up")

    with pytest.raises(InvariantViolated, match="money adds up"):
        ensure(False, "money adds up")


def test_a_broken_invariant_is_no_refusal():
    assert not issubclass(InvariantViolated, Refusal)


def test_the_clock_is_aware_and_in_utc():
    assert read_clock().utcoffset() == dt.timedelta(0)
    assert abs(read_clock().timestamp() - dt.datetime.now(dt.UTC).timestamp()) < 5  # noqa: TID251


def test_the_stopwatch_never_goes_back():
    readings = [read_stopwatch_s() for _ in range(1_000)]

    assert readings == sorted(readings)


def test_the_system_acts_by_the_name_of_its_rule():
    assert Actor.system("approve_low_risk") == Actor(ActorKind.SYSTEM, "approve_low_risk")
