"""Reminders come on their day, once; notices are written once per event."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from kuaitui.deposits.events import PaymentInSuspense, SuspenseResolved
from kuaitui.deposits.operations import FoundPayment, set_pay_in_aside
from kuaitui.deposits.operations.suspense import put_into_suspense
from kuaitui.deposits.queries import suspense_cases
from kuaitui.deposits.types import FoundBy, SuspenseReason
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.money import Money
from kuaitui.kit import outbox
from kuaitui.notifications import queries
from kuaitui.notifications.errors import ReminderInThePast, ReminderTooFarAway
from kuaitui.notifications.models import NoticeRow
from kuaitui.notifications.operations import (
    cancel_reminder,
    mark_notices_read,
    remind_due,
    set_reminder,
    write_notice,
)
from kuaitui.notifications.types import Notice, NoticeCode
from kuaitui.refunds.events import ApplicationMoved
from kuaitui.refunds.states import State
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support.given import yuan
from tests.support.refunds_given import MIDDLE, application, world

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
SELLER = Actor(ActorKind.SELLER, "usr_seller")
DAY = dt.timedelta(days=1)

pytestmark = pytest.mark.django_db


def remind(on: dt.date) -> None:
    set_reminder(shop_key=7, account_id="dep_1", remind_on=on, today=TODAY, actor=SELLER, now=NOW)


def told_beside_payments(shop_key: int) -> list[Notice]:
    told = queries.notices_of(shop_key=shop_key)
    return [notice for notice in told if notice.code is not NoticeCode.PAID_IN]


def test_a_reminder_comes_on_its_day_and_not_before() -> None:
    remind(TODAY + 21 * DAY)

    assert remind_due(today=TODAY + 20 * DAY, now=NOW) == 0
    assert remind_due(today=TODAY + 21 * DAY, now=NOW + 21 * DAY) == 1
    assert remind_due(today=TODAY + 22 * DAY, now=NOW + 22 * DAY) == 0

    (notice,) = queries.notices_of(shop_key=7)
    assert (notice.code, notice.object_id, notice.is_read) == (
        "reminder.day_has_come",
        "dep_1",
        False,
    )
    assert queries.reminder_of(account_id="dep_1") is None


def test_asking_again_moves_the_reminder() -> None:
    remind(TODAY + 10 * DAY)
    remind(TODAY + 15 * DAY)

    reminder = queries.reminder_of(account_id="dep_1")

    assert reminder is not None
    assert reminder.remind_on == TODAY + 15 * DAY
    assert remind_due(today=TODAY + 30 * DAY, now=NOW) == 1


def test_a_cancelled_reminder_does_not_come() -> None:
    remind(TODAY + DAY)

    cancel_reminder(shop_key=7, account_id="dep_1", actor=SELLER, now=NOW)

    assert remind_due(today=TODAY + DAY, now=NOW) == 0


def test_another_shop_cannot_cancel_a_reminder() -> None:
    remind(TODAY + DAY)

    cancel_reminder(shop_key=8, account_id="dep_1", actor=SELLER, now=NOW)

    assert queries.reminder_of(account_id="dep_1") is not None


@pytest.mark.parametrize(
    ("on", "refusal"),
    [
        (TODAY, ReminderInThePast),
        (TODAY - DAY, ReminderInThePast),
        (dt.date(9999, 12, 31), ReminderTooFarAway),
    ],
)
def test_an_impossible_day_is_refused_and_nothing_is_kept(
    on: dt.date, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        remind(on)

    assert queries.reminder_of(account_id="dep_1") is None


def test_a_notice_is_written_once_per_event() -> None:
    for _ in range(2):
        write_notice(shop_key=7, code=NoticeCode.PAID, object_id="rfa_1", cause="rfa_1/9", at=NOW)

    assert queries.unread_count(shop_key=7) == 1


def test_a_notice_is_read_by_those_whom_it_is_told() -> None:
    write_notice(shop_key=7, code=NoticeCode.PAID, object_id="rfa_1", cause="rfa_1/9", at=NOW)
    (notice,) = queries.notices_of(shop_key=7)

    mark_notices_read(shop_key=8, notice_ids=[notice.notice_id], now=NOW)
    assert queries.unread_count(shop_key=7) == 1

    mark_notices_read(shop_key=7, notice_ids=[notice.notice_id], now=NOW)
    assert queries.unread_count(shop_key=7) == 0


def test_what_an_earlier_release_told_and_has_no_words_for_is_left_out() -> None:
    write_notice(shop_key=7, code=NoticeCode.PAID, object_id="rfa_1", cause="rfa_1/9", at=NOW)
    NoticeRow.objects.update(code="application.checked")

    assert queries.notices_of(shop_key=7) == ()
    assert queries.unread_count(shop_key=7) == 0


def test_database_refuses_a_second_open_reminder() -> None:
    remind(TODAY + DAY)

    insert = (
        "INSERT INTO notifications_reminder (public_id, shop_key, account_id, remind_on, asked_by, asked_at)"
        " VALUES ('rmd_x', 7, 'dep_1', now(), 'usr', now())"
    )
    with (
        pytest.raises(IntegrityError, match="one_open_reminder"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(insert)


def test_a_shop_hears_once_that_its_payment_is_kept_apart_and_what_became_of_it() -> None:
    made = pig.expired()
    made.channel_says(made.payment())
    (case,) = suspense_cases()
    news = [
        PaymentInSuspense(case.suspense_id, case.channel, case.why),
        SuspenseResolved(case.suspense_id, "send_back", ""),
    ]

    for event in news * 2:
        with transaction.atomic():
            outbox.publish(event, now=NOW)
    while outbox.deliver_due(now=made.now):
        pass

    told = [one.code for one in told_beside_payments(made.shop.shop_key)]
    assert told == [NoticeCode.SENT_BACK, NoticeCode.KEPT_APART]


def test_a_shop_hears_once_that_a_person_looks_at_its_payment() -> None:
    made = pig.waiting()
    for _again in range(2):
        set_pay_in_aside(order_id=made.order_id, reason="DataError", now=made.now)
    outbox.deliver_due(now=made.now)

    (told,) = told_beside_payments(made.shop.shop_key)
    assert (told.code, told.object_id) == ("pay_in.set_aside", made.order_id)


def test_a_payment_that_is_nobodys_is_told_to_nobody() -> None:
    made = pig.world()
    with transaction.atomic():
        put_into_suspense(
            FoundPayment("simulator", "STRANGE", "", yuan("¥5"), NOW, None),
            order=None, why=SuspenseReason.NEVER_HEARD_OF, found_by=FoundBy.BILL, now=NOW,
        )  # fmt: skip

    outbox.deliver_due(now=NOW)
    assert outbox.undelivered_count() == 0
    assert told_beside_payments(made.shop.shop_key) == []


def test_a_step_of_an_application_is_told_once_however_often_the_news_comes() -> None:
    moved = ApplicationMoved(
        application_id="rfa_1",
        shop_key=7,
        state="in_review",
        code="approved",
        number=2,
        occurred_at=NOW,
    )

    outbox.publish(moved, now=NOW)
    outbox.publish(moved, now=NOW)
    delivered = outbox.deliver_due(now=NOW)

    assert delivered == 2
    (notice,) = queries.notices_of(shop_key=7)
    assert (notice.code, notice.object_id) == (NoticeCode.APPROVED, "rfa_1")
    assert notice.amount is None, "news of an earlier release named none"


def test_what_only_matters_inside_is_told_to_nobody() -> None:
    outbox.publish(ApplicationMoved("rfa_1", 7, 2, "checked", "in_review", NOW), now=NOW)

    outbox.deliver_due(now=NOW)

    assert outbox.undelivered_count() == 0
    assert queries.notices_of(shop_key=7) == ()


@pytest.mark.parametrize(
    ("code", "amount"),
    [
        ("paid", yuan("¥1")),
        ("returned", None),
        ("payout_failed", None),
        ("destination_repaired", None),
        ("repair_refused", None),
    ],
)
def test_the_amount_is_told_where_all_of_it_is_meant(code: str, amount: Money | None) -> None:
    outbox.publish(ApplicationMoved("rfa_1", 7, 2, code, "paid", NOW, 100, "CNY"), now=NOW)

    outbox.deliver_due(now=NOW + DAY)

    (notice,) = queries.notices_of(shop_key=7)
    assert notice.amount == amount
    assert notice.at == NOW, "when it happened, however late it is told"


def test_no_amount_of_all_is_told_of_a_part_that_goes_out_again() -> None:
    made = application(State.RETURNED)
    before = queries.notices_of(shop_key=made.shop.shop_key)
    made.repair()
    made.approve()
    made.confirm()
    made.channel_pays()

    told = queries.notices_of(shop_key=made.shop.shop_key)[: -len(before)]
    after = [notice for notice in told if notice.object_id == made.application_id]
    assert yuan(MIDDLE) in {notice.amount for notice in before}
    assert [notice.code for notice in after] == [
        NoticeCode.PAID,
        NoticeCode.SECOND_APPROVED,
        NoticeCode.APPROVED,
        NoticeCode.DESTINATION_REPAIRED,
    ]
    assert {notice.amount for notice in after} == {None}


def test_a_shop_hears_of_what_comes_into_its_deposit_and_of_what_is_taken() -> None:
    made = world("¥1,000")
    made.deduct("¥30")
    outbox.deliver_due(now=given.NOW)

    told = [(one.code, one.amount) for one in queries.notices_of(shop_key=made.shop.shop_key)]
    assert told == [
        (NoticeCode.DEDUCTED, yuan("¥30")),
        (NoticeCode.PAID_IN, yuan("¥1,000")),
    ]


def test_everyone_of_a_shop_hears_of_a_new_account_once() -> None:
    shop = given.shop()
    for _again in range(2):
        given.destination(shop)
    outbox.deliver_due(now=given.NOW)

    codes = [one.code for one in queries.notices_of(shop_key=shop.shop_key)]
    assert codes.count(NoticeCode.DESTINATION_ADDED) == 1
