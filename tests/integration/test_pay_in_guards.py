"""Somebody with a database console tries to break what must always be true of money coming in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from django.db import connection

from kuaitui.channels.port import Unknown
from kuaitui.deposits import operations, queries
from kuaitui.deposits.states import (
    SUSPENSE_TRANSITIONS,
    PayInState,
    SuspenseState,
    may_move,
)
from kuaitui.deposits.types import Resolution
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
Refused = Callable[..., None]
ORDER = "UPDATE deposits_pay_in_order SET {} WHERE public_id = %s"
ATTEMPT = (
    "INSERT INTO deposits_pay_in_attempt (order_id, attempt_no, kind, fence, started_at, cause)"
    " SELECT id, (SELECT count(*) + 1 FROM deposits_pay_in_attempt WHERE order_id = o.id),"
    " '{kind}', {fence}, now(), '' FROM deposits_pay_in_order AS o WHERE public_id = %s"
)


@pytest.fixture
def refused(raw_sql: RawSql) -> Refused:
    return partial(refuse, raw_sql, pig.TABLES)


def in_suspense() -> pig.World:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))
    return made


def proposed() -> pig.World:
    made = in_suspense()
    (case,) = queries.suspense_cases()
    operations.propose_resolution(
        suspense_id=case.suspense_id,
        version=case.version,
        resolution=Resolution.ATTRIBUTE,
        account_id=made.shop.account_id,
        reason="theirs",
        actor=given.reviewer(),
        now=made.now,
    )
    return made


def test_code_and_database_have_the_same_tables_of_states() -> None:
    with connection.cursor() as cursor:
        for source, target in product(PayInState, repeat=2):
            cursor.execute("SELECT deposits_pay_in_may_move(%s, %s)", [source, target])
            assert cursor.fetchone()[0] is may_move(source, target), (source, target)
        for old, new in product(SuspenseState, repeat=2):
            cursor.execute("SELECT deposits_suspense_may_move(%s, %s)", [old, new])
            expected = old is new or new in SUSPENSE_TRANSITIONS[old]
            assert cursor.fetchone()[0] is expected, (old, new)


@pytest.mark.parametrize(
    "change",
    [
        "number = 'another1'", "amount_minor = 1", "currency = 'USD'", "channel = 'x'",
        "request_key = 'x'", "method = 'link'", "description = 'x'", "return_url = 'x'",
        "expires_at = now()", "shop_key = shop_key + 1", "payer_ip = '10.0.0.1'",
    ],
)  # fmt: skip
def test_an_order_keeps_its_number_and_request(refused: Refused, change: str) -> None:
    made = pig.waiting()

    refused(ORDER.format(change), [made.order_id], breaks="a_pay_in_keeps_its_number_and_request")


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("state = 'created'", None),
        ("state = 'opening'", "an_opening_is_claimed"),
        ("fence = fence + 2", "a_pay_in_fence_grows_by_one"),
        ("fence = fence - 1", "a_pay_in_fence_grows_by_one"),
        ("state = 'closed'", "a_pay_in_ends_on_the_channels_word"),
        ("state = 'expired'", "a_pay_in_ends_on_the_channels_word"),
        ("state = 'failed'", "a_pay_in_fails_on_the_channels_word"),
        (
            "state = 'in_suspense', paid_minor = 1, paid_at = now(), channel_reference = 'x'",
            "a_pay_in_is_paid_on_the_channels_word",
        ),
        ("state = 'gone'", "a_pay_in_moves_by_the_table"),
        ("next_check_at = NULL", "no_open_pay_in_is_forgotten"),
    ],
)
def test_an_order_moves_by_the_rules_only(
    refused: Refused, change: str, breaks: str | None
) -> None:
    made = pig.waiting()
    if breaks is not None:
        refused(ORDER.format(change), [made.order_id], breaks=breaks)


def test_an_order_is_paid_by_a_lot_of_that_amount(refused: Refused, raw_sql: RawSql) -> None:
    made = pig.waiting()
    made.wait()
    claim = made.claim()
    assert claim is not None
    raw_sql("UPDATE deposits_pay_in_attempt SET outcome = 'paid', finished_at = now()"
            " WHERE outcome IS NULL")  # fmt: skip
    paid = "paid_minor = {}, paid_at = now(), channel_reference = 'x', lot_id = 'lot_none'"

    refused(
        ORDER.format(f"state = 'paid', {paid.format('amount_minor')}"),
        [made.order_id],
        breaks="a_paid_pay_in_is_a_lot",
    )
    refused(
        ORDER.format(f"state = 'paid', {paid.format(1)}"),
        [made.order_id],
        breaks="a_paid_pay_in_is_a_lot",
    )
    refused(ORDER.format("state = 'paid'"), [made.order_id], breaks="a_paid_pay_in_(says|is_a_lot)")


def test_a_paid_order_stays_as_it_was_paid(refused: Refused) -> None:
    made = pig.paid()

    for change in ("paid_minor = 1", "lot_id = 'x'", "channel_reference = 'x'"):
        refused(ORDER.format(change), [made.order_id], breaks="a_paid_pay_in_stays_as_it_was_paid")
    refused(
        ORDER.format("state = 'waiting'"), [made.order_id], breaks="a_pay_in_moves_by_the_table"
    )


COPY = (
    "INSERT INTO deposits_pay_in_order SELECT (jsonb_populate_record(o, to_jsonb(o) || "
    "jsonb_build_object('id', nextval('deposits_pay_in_order_id_seq'), 'public_id', 'pin_x',"
    " 'number', 'another1', 'request_key', 'x', 'state', 'created', 'fence', 0, 'opens', 0,"
    " 'pay_url', '', 'next_check_at', now()) || %s::jsonb)).*"
    " FROM deposits_pay_in_order AS o WHERE public_id = %s"
)


@pytest.mark.parametrize(
    ("values", "breaks"),
    [
        ("{}", "one_open_pay_in_per_deposit_account"),
        ('{"state": "waiting"}', "a_pay_in_begins_created"),
        ('{"fence": 1}', "a_pay_in_begins_created"),
        ('{"currency": "USD"}', "a_pay_in_begins_created"),
        ('{"number": "too-odd!"}', "pay_in_number_is_letters_and_digits"),
        ('{"amount_minor": 0}', "pay_in_amount_is_positive"),
        ('{"method": "cash"}', "pay_in_method_is_known"),
    ],
)
def test_an_order_begins_by_the_rules(refused: Refused, values: str, breaks: str) -> None:
    made = pig.waiting()

    refused(COPY, [values, made.order_id], breaks=breaks)


@pytest.mark.parametrize(
    ("name", "breaks"),
    [
        ("number", "a_number_names_one_pay_in_order"),
        ("request_key", "a_pay_in_request_is_heard_once"),
    ],
)
def test_a_number_and_a_request_are_used_once(refused: Refused, name: str, breaks: str) -> None:
    made = pig.paid()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM deposits_pay_in_order")
        used = cursor.fetchone()[0]

    refused(COPY, [f'{{"{name}": "{used}"}}', made.order_id], breaks=breaks)


def test_nobody_opens_an_order_again_before_asking(refused: Refused, raw_sql: RawSql) -> None:
    made = pig.world()
    made.start()
    made.channel_says(Unknown("deadline"))
    # Somebody forces the order back to the beginning, and claims it.
    raw_sql("SET session_replication_role = replica")
    raw_sql("UPDATE deposits_pay_in_order SET state = 'opening', fence = fence + 1")
    raw_sql("SET session_replication_role = origin")

    refused(
        ATTEMPT.format(kind="open", fence="fence"),
        [made.order_id],
        breaks="an_opening_without_outcome_is_asked_about_first",
    )


@pytest.mark.parametrize(
    ("kind", "fence", "breaks"),
    [
        ("open", "fence", "a_pay_in_attempt_carries_a_fresh_fence|only_a_claimed_pay_in_is_opened"),
        ("query", "fence", "a_pay_in_attempt_carries_a_fresh_fence"),
        ("query", "fence + 1", "a_pay_in_attempt_carries_a_fresh_fence"),
    ],
)
def test_a_call_needs_a_claim(refused: Refused, kind: str, fence: str, breaks: str) -> None:
    made = pig.waiting()

    refused(ATTEMPT.format(kind=kind, fence=fence), [made.order_id], breaks=breaks)


def test_only_a_claimed_order_is_opened(refused: Refused, raw_sql: RawSql) -> None:
    made = pig.waiting()
    raw_sql("UPDATE deposits_pay_in_order SET fence = fence + 1")

    refused(
        ATTEMPT.format(kind="open", fence="fence"),
        [made.order_id],
        breaks="only_a_claimed_pay_in_is_opened",
    )
    refused(
        ATTEMPT.format(kind="query", fence="fence").replace("count(*) + 1", "count(*) + 2"),
        [made.order_id],
        breaks="pay_in_attempts_have_no_gaps",
    )
    refused(
        ATTEMPT.format(kind="shout", fence="fence"),
        [made.order_id],
        breaks="pay_in_attempt_kind_is_known",
    )


def test_an_attempt_is_completed_once(refused: Refused) -> None:
    pig.waiting()

    refused(
        "UPDATE deposits_pay_in_attempt SET outcome = 'paid'",
        breaks="a_pay_in_attempt_is_completed_once",
    )
    refused(
        "UPDATE deposits_pay_in_attempt SET kind = 'query'",
        breaks="a_pay_in_attempt_is_completed_once",
    )


def test_one_call_is_under_way_at_a_time(refused: Refused, raw_sql: RawSql) -> None:
    made = pig.waiting()
    made.wait()
    made.claim()
    raw_sql("UPDATE deposits_pay_in_order SET fence = fence + 1")

    refused(
        ATTEMPT.format(kind="query", fence="fence"),
        [made.order_id],
        breaks="a_pay_in_has_one_live_attempt",
    )
    refused(
        "UPDATE deposits_pay_in_attempt SET finished_at = now() WHERE outcome IS NULL",
        breaks="pay_in_attempt_ends_with_its_outcome",
    )


SUSPEND = (
    "INSERT INTO deposits_suspense (public_id, channel, reference, number, book_id, amount_minor,"
    " currency, why, found_by, paid_at, found_at, state, resolution, reason, proposed_by,"
    " decided_by, lot_id, refund_reference, sent_back_by, version) VALUES ('sus_x', %s, %s, '',"
    " -1, 1, 'CNY', 'paid_twice', 'query', now(), now(), 'open', '', '', '', '', '', '', '', 0)"
)


def test_a_payment_that_is_a_lot_is_not_in_suspense_too(refused: Refused) -> None:
    made = pig.paid()

    refused(
        SUSPEND, [given.CHANNEL, made.order.channel_reference], breaks="one_payment_has_one_place"
    )


def test_a_payment_in_suspense_is_no_lot_without_two_people(refused: Refused) -> None:
    in_suspense()

    refused(
        "INSERT INTO deposits_channel_payment (channel, reference, account_id, lot_number)"
        " VALUES (%s, 'SECOND', 1, 1)",
        [given.CHANNEL],
        breaks="one_payment_has_one_place",
    )


def test_a_payment_is_in_suspense_once(refused: Refused) -> None:
    in_suspense()

    refused(SUSPEND, [given.CHANNEL, "SECOND"], breaks="a_payment_is_in_suspense_once")


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("amount_minor = 1", "a_payment_in_suspense_stays_as_it_came"),
        ("reference = 'x'", "a_payment_in_suspense_stays_as_it_came"),
        ("why = 'never_heard_of'", "a_payment_in_suspense_stays_as_it_came"),
        ("version = version + 2", "a_suspense_version_grows_by_one"),
        ("state = 'attributed', version = version + 1", "suspense_moves_by_the_table"),
        ("state = 'sent_back', version = version + 1", "suspense_moves_by_the_table"),
        ("state = 'proposed', version = version + 1", "suspense_is_proposed_in_full"),
        ("decided_by = 'x', version = version + 1", "suspense_is_decided_by_two"),
    ],
)
def test_an_open_case_moves_by_the_rules_only(refused: Refused, change: str, breaks: str) -> None:
    in_suspense()

    refused(f"UPDATE deposits_suspense SET {change}", breaks=breaks)


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (
            (
                "state = 'to_send_back', decided_by = proposed_by, decided_at = now(),"
                " version = version + 1"
            ),
            "suspense_is_decided_by_two|suspense_ends_as_decided",
        ),
        (
            "state = 'to_send_back', decided_by = 'x', decided_at = now(), version = version + 1",
            "suspense_ends_as_decided",
        ),
        (
            (
                "state = 'to_send_back', resolution = 'send_back', decided_by = 'x',"
                " decided_at = now(), version = version + 1"
            ),
            "what_is_confirmed_is_what_was_proposed",
        ),
        (
            (
                "state = 'attributed', decided_by = 'x', decided_at = now(), lot_id = 'lot_x',"
                " version = version + 1"
            ),
            "attributed_suspense_is_a_lot",
        ),
        ("account_id = NULL, version = version + 1", "what_is_confirmed_is_what_was_proposed"),
    ],
)
def test_a_proposed_case_is_decided_by_another_person_as_it_was_proposed(
    refused: Refused, change: str, breaks: str
) -> None:
    proposed()

    refused(f"UPDATE deposits_suspense SET {change}", breaks=breaks)


def test_a_decision_stands(refused: Refused) -> None:
    made = proposed()
    (case,) = queries.suspense_cases()
    operations.confirm_resolution(
        suspense_id=case.suspense_id, version=case.version, actor=given.approver(), now=made.now
    )

    refused(
        "UPDATE deposits_suspense SET reason = 'other', version = version + 1",
        breaks="a_decision_about_suspense_stands",
    )


def test_a_case_begins_open(refused: Refused) -> None:
    refused(
        SUSPEND.replace("'open', ''", "'proposed', 'send_back'"),
        ["x", "y"],
        breaks="suspense_begins_open",
    )
