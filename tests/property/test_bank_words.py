"""What a bank's words come to: the order of arrival never matters, and the money's word decides."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.bank import BankStatus, BankWord
from kuaitui.channels.bank.calendar import execution_day
from kuaitui.channels.bank.verdict import verdict
from kuaitui.channels.port import Accepted, FailedDefinite, Returned, Succeeded, Unknown
from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import is_working_day
from tests.support.bank_given import channel, instruction

MINE = instruction()
START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@st.composite
def words(draw: st.DrawFn) -> BankWord:
    release = draw(st.sampled_from(["", "01", "02"]))
    return BankWord(
        number=draw(st.sampled_from([MINE.number, "another"])),
        status=draw(st.sampled_from(BankStatus)),
        occurred_at=START + dt.timedelta(hours=draw(st.integers(0, 5))),
        amount=draw(st.sampled_from([None, MINE.amount, Money(1, "CNY")])),
        code=draw(st.sampled_from(["", "AC04", "AM04", "ZZ99"])),
        reference=draw(st.sampled_from(["", "R1", "R2"])),
        instruction_id=f"{MINE.number}{release}" if release else "",
    )


@given(st.lists(words(), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_arrival_never_matters(said: list[BankWord], chance) -> None:
    shuffled = list(said)
    chance.shuffle(shuffled)

    assert verdict(said, MINE) == verdict([*shuffled, *shuffled[:2]], MINE)


@given(st.lists(words(), max_size=6))
def test_the_moneys_own_word_decides(said: list[BankWord]) -> None:
    outcome = verdict(said, MINE)

    mine = [word for word in said if word.number == MINE.number]
    statuses = {word.status for word in mine}
    match outcome:
        case Returned():
            assert BankStatus.RETURNED in statuses
        case Succeeded():
            assert BankStatus.BOOKED in statuses
            assert BankStatus.RETURNED not in statuses
        case FailedDefinite():
            assert not statuses & {BankStatus.BOOKED, BankStatus.RETURNED}
            assert any(
                word.status is BankStatus.REJECTED
                and word.instruction_id in {"", f"{MINE.number}01"}
                for word in mine
            )
        case Accepted() | Unknown() | None:
            pass


@given(st.lists(words(), max_size=6))
def test_a_rejection_of_an_earlier_release_never_fails_the_present_one(
    said: list[BankWord],
) -> None:
    third = instruction(release_no=3)
    assert not isinstance(verdict(said, third), FailedDefinite)


@given(
    st.timedeltas(dt.timedelta(days=-320), dt.timedelta(days=25)).map(lambda span: START + span),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)),
)
def test_the_execution_day_is_a_business_day_and_never_goes_back(
    now: dt.datetime, wait: dt.timedelta
) -> None:
    bank = channel(is_business_day=is_working_day)
    settings = bank._settings

    def day(moment: dt.datetime) -> dt.date:
        return execution_day(
            moment,
            cut_off=settings.cut_off,
            zone=settings.zone,
            is_business_day=is_working_day,
        )

    on = day(now)

    assert is_working_day(on)
    assert now.astimezone(settings.zone).date() <= on <= day(now + wait)
    assert bank.execution_day(now) == on
