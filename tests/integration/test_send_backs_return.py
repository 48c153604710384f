"""A payment that went back out of suspense is watched: it may come back, and then people decide anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    Outcome,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.deposits import operations as deposits
from kuaitui.deposits import queries
from kuaitui.deposits.queries import deposit
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import Resolution
from kuaitui.kit import outbox
from kuaitui.ledger import queries as ledger
from kuaitui.notifications.queries import notices_of
from kuaitui.payouts import operations
from kuaitui.payouts.queries import due_send_backs, send_backs_of
from kuaitui.payouts.states import LegState
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support import send_backs_given as sbg
from tests.support.given import nothing_moves
from tests.support.raw_sql import refuse
from tests.support.reconciliation_given import DAY, ONE_DAY, at, breaks, compare_with, line

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
SET_ASIDE, GONE = (30_000, 30_000), (0, 0)
REOPEN = (
    "UPDATE deposits_suspense SET state = 'open', resolution = '', reason = '', proposed_by = '',"
    " proposed_at = NULL, decided_by = '', decided_at = NULL, refund_reference = '',"
    " sent_back_by = '', sent_back_at = NULL, version = version + 1, returns = returns + {}"
)


def gave_back(at_: dt.datetime) -> Returned:
    return Returned("R", "ACCOUNT_CLOSED", at_)


def went_back(now: dt.datetime | None = None) -> sbg.World:
    """A payment that has gone back to its payer."""
    made = sbg.ordered(now=now)
    made.channel_says(Succeeded("R", made.now))
    return made


def order_again(made: sbg.World) -> None:
    """Two people order it back once more."""
    sbg.order_back(made.suspense_id, now=made.now)
    made.send_back_id = operations.begin_send_back(suspense_id=made.suspense_id, now=made.now) or ""


def nothing_differs() -> bool:
    return not (ledger.differences() or queries.differences() or queries.suspense_differences())


@pytest.fixture
def made() -> sbg.World:
    return went_back()


# ---------------------------------------------------------------- the watch


def test_what_went_back_is_looked_at_daily_until_nothing_can_come_back(made: sbg.World) -> None:
    paid_at = made.now
    assert made.view.next_check_at == paid_at + sbg.PACE.paid_check_every
    window = pig.CAPABILITIES.return_window

    while made.view.next_check_at is not None:
        assert made.channel_says(Succeeded("R", paid_at)) is LegState.PAID

    assert paid_at + window <= made.now < paid_at + window + 2 * given.DAY
    assert set(made.kinds()[1:]) == {"query"}
    assert made.view.settled_at == paid_at
    assert made.book == GONE
    assert nothing_differs()


def test_where_nothing_comes_back_nothing_is_watched() -> None:
    made = sbg.ordered()
    operations.record_send_back_outcome(
        claim=sbg.claim(made.send_back_id, now=made.now),
        outcome=Succeeded("R", made.now),
        capabilities=replace(pig.CAPABILITIES, return_window=dt.timedelta(0)),
        pace=sbg.PACE,
        now=made.now,
    )

    assert made.state is LegState.PAID
    assert made.view.next_check_at is None


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Accepted("R"), sbg.PACE.paid_check_every),
        (NotFound(), sbg.PACE.paid_check_every),
        (NotSent("no_route"), sbg.PACE.check_delays[-1]),
        (Unknown("deadline"), sbg.PACE.check_delays[-1]),
        (RejectedConfig("X"), sbg.PACE.check_delays[-1]),
    ],
)
def test_no_other_answer_takes_back_that_it_was_paid(
    made: sbg.World, answer: Outcome, wait: dt.timedelta
) -> None:
    case = made.case

    assert made.channel_says(answer) is LegState.PAID

    assert made.case == case
    assert made.book == GONE
    assert made.view.next_check_at == made.now + wait


def test_what_is_watched_comes_after_what_still_must_go(made: sbg.World) -> None:
    tomorrow = made.now + given.DAY
    waiting = sbg.ordered(now=tomorrow)

    assert due_send_backs(now=tomorrow) == [waiting.send_back_id, made.send_back_id]


def test_a_notification_brings_the_look_forward(made: sbg.World) -> None:
    about = {"channel": given.CHANNEL, "number": made.view.number, "now": made.now}
    assert due_send_backs(now=made.now) == []

    assert operations.note_hint(**about)

    assert due_send_backs(now=made.now) == [made.send_back_id]


def test_a_watched_payment_keeps_no_hold(made: sbg.World) -> None:
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=made.now)

    operations.propose_release(finding="Nothing open.", actor=given.reviewer(), now=made.now)


# ---------------------------------------------------------------- it comes back


@pytest.mark.parametrize("answer", [gave_back(pg.NOW), FailedDefinite("EXPIRED")])
def test_what_came_back_is_set_aside_again_and_people_decide_anew(
    made: sbg.World, answer: Outcome
) -> None:
    shop_key = made.case.order_shop_key
    assert shop_key is not None

    assert made.channel_says(answer) is LegState.RETURNED

    case, view = made.case, made.view
    assert (case.state, case.resolution, case.decided_by) == (SuspenseState.OPEN, None, "")
    assert (case.refund_reference, case.sent_back_at) == ("", None)
    assert made.book == SET_ASIDE
    assert view.code
    assert (view.next_check_at, view.returned_at is not None) == (None, True)
    assert due_send_backs(now=made.now + 40 * given.DAY) == []
    assert nothing_differs()
    while outbox.deliver_due(now=made.now):
        pass
    told = [one.code for one in notices_of(shop_key=shop_key)]
    assert told[0] == "suspense.came_back"


def test_what_came_back_while_it_was_looked_at_by_two_workers_is_recorded_once(
    made: sbg.World,
) -> None:
    made.wait()
    slow = sbg.claim(made.send_back_id, now=made.now)
    made.now += 2 * sbg.PACE.lease
    assert made.channel_says(gave_back(made.now)) is LegState.RETURNED

    with nothing_moves(*sbg.TABLES):
        assert sbg.record(slow, gave_back(made.now), now=made.now) is None


def test_it_goes_back_once_more_under_another_number_and_may_come_back_again(
    made: sbg.World,
) -> None:
    numbers = set()
    for _again in range(3):
        made.channel_says(gave_back(made.now))
        assert made.book == SET_ASIDE
        order_again(made)
        assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID
        assert made.book == GONE
        numbers.add(made.view.number)
        assert made.case.refund_reference == made.view.number

    while outbox.deliver_due(now=made.now):
        pass
    told = [one.code for one in notices_of(shop_key=made.case.order_shop_key or 0)]
    assert (told.count("suspense.send_back"), told.count("suspense.came_back")) == (4, 3)
    assert len(numbers) == 3
    assert len(send_backs_of(made.suspense_id)) == 4
    assert nothing_differs()


def test_what_came_back_is_put_into_a_deposit(made: sbg.World) -> None:
    made.channel_says(gave_back(made.now))
    shop = given.shop((), paid_days_ago=0)
    about = {"suspense_id": made.suspense_id, "now": made.now}
    deposits.propose_resolution(
        **about,
        version=made.case.version,
        resolution=Resolution.ATTRIBUTE,
        account_id=shop.account_id,
        reason="Theirs after all.",
        actor=given.reviewer(),
    )
    deposits.confirm_resolution(**about, version=made.case.version, actor=given.approver())

    assert made.book == GONE
    assert deposit(shop.account_id).paid_in == made.case.amount
    assert nothing_differs()


def test_what_came_back_and_then_went_by_hand_is_posted(made: sbg.World) -> None:
    made.channel_says(gave_back(made.now))
    about = {"suspense_id": made.suspense_id, "now": made.now}
    deposits.propose_resolution(
        **about,
        version=made.case.version,
        resolution=Resolution.BY_HAND,
        account_id="",
        refund_reference="CONSOLE-1",
        reason="Sent from the console.",
        actor=given.reviewer(),
    )
    deposits.confirm_resolution(**about, version=made.case.version, actor=given.approver())

    assert made.case.state is SuspenseState.SENT_BACK
    assert made.book == GONE
    assert nothing_differs()


# ---------------------------------------------------------------- the bills


def test_the_bills_of_both_days_agree_with_a_payment_that_came_back() -> None:
    made = sbg.ordered(now=at(9))
    made.channel_says(Succeeded("R", at(10)))
    number = made.view.number
    back_at = at(12, day=DAY + ONE_DAY)
    made.channel_says(gave_back(back_at))

    compare_with(line("refund", number, "¥300"))
    later = made.now + ONE_DAY
    compare_with(
        line("return", number, "¥300", at=back_at.isoformat()), day=DAY + ONE_DAY, now=later
    )

    assert number not in breaks()


def test_each_way_of_one_payment_is_compared_with_its_own_posting() -> None:
    made = sbg.ordered(now=at(9))
    made.channel_says(Succeeded("R", at(10)))
    first = made.view.number
    made.channel_says(gave_back(at(11)))
    order_again(made)
    made.now = max(made.now, at(12))
    made.channel_says(Succeeded("R", at(12)))
    second = made.view.number

    compare_with(
        line("refund", first, "¥300", at=at(10).isoformat()),
        line("return", first, "¥300", at=at(11).isoformat()),
        line("refund", second, "¥300", at=at(12).isoformat()),
    )

    assert {first, second}.isdisjoint(breaks())


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ({"refund": "¥300", "return": "¥299"}, "amount"),
        ({"refund": "¥299", "return": "¥300"}, "amount"),
        ({"refund": "¥300"}, "missing_in_bill"),
    ],
)
def test_a_bill_that_tells_otherwise_is_a_difference(lines: dict[str, str], kind: str) -> None:
    made = sbg.ordered(now=at(9))
    made.channel_says(Succeeded("R", at(10)))
    made.channel_says(gave_back(at(11)))
    number = made.view.number

    compare_with(*(line(word, number, amount) for word, amount in lines.items()))

    assert breaks()[number] == kind


def test_a_return_that_the_bill_tells_first_is_a_difference_until_the_channel_says_it() -> None:
    made = sbg.ordered(now=at(9))
    made.channel_says(Succeeded("R", at(10)))
    number = made.view.number
    told = line("refund", number, "¥300"), line("return", number, "¥300")
    compare_with(*told)
    assert breaks()[number] == "return"

    made.channel_says(gave_back(at(12)))
    compare_with(*told)

    assert number not in breaks()


# ---------------------------------------------------------------- the database, whoever writes to it


@pytest.fixture
def refused(raw_sql: RawSql) -> Callable[..., None]:
    return partial(refuse, raw_sql, sbg.TABLES)


@pytest.mark.parametrize(
    ("change", "breaks_"),
    [
        (
            "state = 'returned', returned_at = now(), next_check_at = NULL",
            "a_payment_comes_back_on_the_channels_word",
        ),
        ("state = 'failed', next_check_at = NULL", "a_send_back_moves_by_the_table"),
        ("settled_at = now()", "a_paid_send_back_stays_as_it_was_paid"),
        ("returned_at = now()", "a_returned_send_back_says_when"),
    ],
)
def test_what_went_back_stays_so_until_its_channel_says_otherwise(
    made: sbg.World, refused: Callable[..., None], change: str, breaks_: str
) -> None:
    assert made.state is LegState.PAID

    refused(f"UPDATE payouts_send_back SET {change}", breaks=breaks_)


@pytest.mark.parametrize(
    ("change", "breaks_"),
    [
        ("state = 'ready'", "a_send_back_moves_by_the_table"),
        ("next_check_at = now()", "a_send_back_that_ended_is_not_checked"),
        ("returned_at = NULL", "a_returned_send_back_says_when"),
    ],
)
def test_what_came_back_never_goes_again_under_its_number(
    made: sbg.World, refused: Callable[..., None], change: str, breaks_: str
) -> None:
    made.channel_says(gave_back(made.now))

    refused(f"UPDATE payouts_send_back SET {change}", breaks=breaks_)


def test_a_case_that_was_sent_back_opens_only_when_its_payment_came_back(
    made: sbg.World, refused: Callable[..., None]
) -> None:
    assert made.state is LegState.PAID

    refused(REOPEN.format(1), breaks="a_case_opens_again_when_its_payment_came_back")
    refused(
        "UPDATE deposits_suspense SET returns = returns + 1, version = version + 1",
        breaks="a_case_counts_what_came_back",
    )


def test_a_case_counts_what_came_back(
    made: sbg.World, refused: Callable[..., None], raw_sql: RawSql
) -> None:
    made.wait()
    sbg.claim(made.send_back_id, now=made.now)
    raw_sql(
        "UPDATE payouts_send_back_attempt SET outcome = 'returned', finished_at = now()"
        " WHERE outcome IS NULL"
    )
    raw_sql(
        "UPDATE payouts_send_back SET state = 'returned', returned_at = now(),"
        " next_check_at = NULL, lease_until = NULL"
    )

    refused(REOPEN.format(0), breaks="a_case_counts_what_came_back")

    raw_sql(REOPEN.format(1))
