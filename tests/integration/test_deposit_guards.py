"""Somebody with a database console tries to break what must always be true of deposits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from kuaitui.refunds.states import State
from tests.support import given
from tests.support.raw_sql import refuse
from tests.support.refunds_given import MIDDLE, World, application, world

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
TABLES = ("deposits_channel_payment", "deposits_deduction_line")


@pytest.fixture
def refused(raw_sql: RawSql) -> Callable[..., None]:
    return partial(refuse, raw_sql, TABLES)


def account_key(made: World) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM deposits_account WHERE public_id = %s", [made.shop.account_id]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "change",
    [
        "reserved_minor = reserved_minor + 1",
        "refunded_minor = refunded_minor + 1",
        "deducted_minor = deducted_minor + 1",
        "amount_minor = amount_minor + 1",
        "refundable_until = refundable_until + interval '1 day'",
        "paid_at = paid_at + interval '1 day'",
        "channel_reference = 'other'",
    ],
)
def test_a_lot_keeps_its_payment_and_moves_with_its_reasons_only(refused, change: str) -> None:
    made = world(MIDDLE)

    refused(
        f"UPDATE deposits_lot SET {change} WHERE account_id = %s",
        [account_key(made)],
        breaks="refused",
    )


def test_a_lot_begins_whole(refused) -> None:
    made = world(MIDDLE)

    refused(
        "INSERT INTO deposits_lot (account_id, number, public_id, amount_minor, paid_at, channel,"
        " channel_reference, refunded_minor) VALUES (%s, 9, 'lot_x', 100, now(), 'x', 'x', 1)",
        [account_key(made)],
        breaks="refused",
    )


@pytest.mark.parametrize(
    ("amount", "breaks"),
    [
        (1_000_001, "lot_parts_do_not_exceed_the_lot"),
        (0, "taking_amount_is_positive"),
        (-1, "taking_amount_is_positive"),
    ],
)
def test_more_than_a_lot_cannot_be_taken_from_it(refused, amount: int, breaks: str) -> None:
    made = world(MIDDLE)

    refused(
        "INSERT INTO deposits_lot_taking (account_id, lot_number, reference, amount_minor)"
        " VALUES (%s, 1, 'x', %s)",
        [account_key(made), amount],
        breaks=breaks,
    )


def test_a_lot_carries_no_more_than_it_has_and_only_for_a_hold(refused) -> None:
    made = application(State.SUBMITTED)
    share = (
        "INSERT INTO deposits_lot_share (account_id, leg_id, lot_number, hold_reference, amount_minor,"
        " state) VALUES (%s, 'leg_x', 1, %s, %s, %s)"
    )
    key = account_key(made)

    refused(
        share, [key, made.application_id, 1_000_001, "reserved"],
        breaks="lot_parts_do_not_exceed_the_lot",
    )  # fmt: skip
    refused(share, [key, "rfa_nobody", 1, "reserved"], breaks="a_share_belongs_to_a_hold")
    refused(share, [key, made.application_id, 1, "settled"], breaks="begins reserved")


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("state = 'released'", "cannot go from settled to released"),
        ("amount_minor = 1", "keeps its lot, leg and amount"),
        ("hold_reference = 'x'", "keeps its lot, leg and amount"),
    ],
)
def test_a_share_takes_legal_steps_only(refused, change: str, breaks: str) -> None:
    made = application(State.PAID)

    refused(
        f"UPDATE deposits_lot_share SET {change} WHERE account_id = %s",
        [account_key(made)],
        breaks=breaks,
    )


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("released_minor = amount_minor + 1", "hold_parts_do_not_exceed_the_hold"),
        ("deducted_minor = -1", "hold_parts_are_not_negative"),
        ("reference = 'x'", "refused"),
    ],
)
def test_a_hold_holds_no_more_than_it_froze(refused, change: str, breaks: str) -> None:
    made = application(State.SUBMITTED)

    refused(
        f"UPDATE deposits_hold SET {change} WHERE account_id = %s",
        [account_key(made)],
        breaks=breaks,
    )


@pytest.mark.parametrize(
    "table",
    [
        "deposits_account", "deposits_lot", "deposits_hold", "deposits_lot_share",
        "deposits_lot_taking", "deposits_channel_payment", "deposits_deduction",
        "deposits_deduction_line", "deposits_destination",
    ],
)  # fmt: skip
def test_nothing_leaves(refused, table: str) -> None:
    made = application(State.PAID, route_open=False)
    given.pay_in(made.shop.account_id, "¥5")
    made.deduct("¥1")

    refused(f"DELETE FROM {table}", breaks="keeps what it holds")
    refused(f"TRUNCATE {table} CASCADE", breaks="keeps what it holds")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deposits_deduction SET reason = 'x'",
        "UPDATE deposits_deduction_line SET quantity = 2",
        "UPDATE deposits_lot_taking SET amount_minor = 1",
        "UPDATE deposits_channel_payment SET lot_number = 2",
        "UPDATE deposits_account SET book_id = book_id + 1000",
        "UPDATE deposits_account SET shop_key = shop_key + 1",
        "UPDATE deposits_destination SET holder_name = 'x'",
        "UPDATE deposits_destination SET usable_from = now()",
        "UPDATE deposits_destination SET number_blind = 'x'",
        "UPDATE deposits_destination SET kind = 'alipay_account'",
        "UPDATE deposits_destination SET bank_code = '308584000013'",
        "UPDATE deposits_destination SET is_company = true",
        "UPDATE deposits_destination SET verified_at = NULL, verified_by = ''",
    ],
)
def test_what_was_decided_or_entered_is_not_rewritten(refused, statement: str) -> None:
    made = application(State.SUBMITTED, route_open=False)
    made.deduct("¥1")

    refused(statement, breaks="refused")


def test_a_deduction_is_the_sum_of_its_items_and_sources(refused, raw_sql: RawSql) -> None:
    made = world(MIDDLE)
    made.deduct("¥1")
    deduction = (
        "INSERT INTO deposits_deduction (public_id, account_id, reference, purpose, reason, clause,"
        " amount_minor, from_available_minor, from_frozen_minor, still_owed_minor, decided_by,"
        " decided_at) VALUES ('ded_x', %s, 'x', 'penalty', 'x', 'x', 100, %s, 0, 0, 'x', now())"
    )
    key = account_key(made)

    refused(deduction, [key, 100], breaks="items of a deduction add up to 0, not to 100")
    refused(deduction, [key, 99], breaks="deduction_is_the_sum_of_its_sources")
    refused(
        "INSERT INTO deposits_deduction_line (deduction_id, number, description, quantity, unit_minor,"
        " evidence) SELECT id, 2, 'more', 1, 1, '[\"O2\"]' FROM deposits_deduction",
        breaks="items of a deduction add up to 101, not to 100",
    )


@pytest.mark.parametrize(
    ("column", "value", "breaks"),
    [
        ("description", "''", "deduction_line_is_explained"),
        ("evidence", "'[]'", "deduction_line_is_explained"),
        ("quantity", "0", "deduction_line_is_positive"),
    ],
)
def test_an_item_explains_itself(refused, column: str, value: str, breaks: str) -> None:
    made = world(MIDDLE)
    made.deduct("¥1")
    values = {"description": "'late'", "quantity": "1", "unit_minor": "1", "evidence": "'[\"O1\"]'"}
    values[column] = value

    refused(
        "INSERT INTO deposits_deduction_line (deduction_id, number, description, quantity, unit_minor,"
        f" evidence) SELECT id, 2, {', '.join(values.values())} FROM deposits_deduction",
        breaks=breaks,
    )


def test_whoever_entered_an_account_cannot_vouch_for_it(refused) -> None:
    made = world(MIDDLE)
    entered = given.destination(made.shop, is_verified=False)

    refused(
        "UPDATE deposits_destination SET verified_at = now(), verified_by = added_by"
        " WHERE public_id = %s",
        [entered.destination_id],
        breaks="destination_is_verified_by_somebody_else",
    )


def test_a_shop_has_one_deposit_of_a_kind_and_currency(refused) -> None:
    made = world(MIDDLE)

    refused(
        "INSERT INTO deposits_account (public_id, shop_key, kind, currency, book_id, required_minor,"
        " opened_at) VALUES ('dep_x', %s, 'shop', 'CNY', 999999, 0, now())",
        [made.shop.shop_key],
        breaks="one_deposit_per_shop_kind_and_currency",
    )


def test_a_channel_payment_opens_one_lot(refused) -> None:
    world(MIDDLE)

    refused(
        "INSERT INTO deposits_channel_payment (channel, reference, account_id, lot_number)"
        " SELECT channel, reference, account_id, 2 FROM deposits_channel_payment",
        breaks="duplicate key",
    )


@pytest.mark.parametrize(
    ("columns", "breaks"),
    [
        ({"bank_code": "30858400001"}, "bank_code_is_one"),
        ({"bank_code": "CMBCCNBS-"}, "bank_code_is_one"),
        ({"kind": "cash"}, "destination_kind_is_known"),
    ],
)
def test_a_destination_is_of_a_known_kind_with_a_bank_code_that_is_one(
    refused, columns: dict[str, str], breaks: str
) -> None:
    made = world(MIDDLE)
    given.destination(made.shop)
    values = {"bank_code": "''", "kind": "'bank_account'"}
    values |= {name: f"'{value}'" for name, value in columns.items()}

    refused(
        "INSERT INTO deposits_destination (public_id, shop_key, holder_name, bank_name, number_sealed,"
        " number_key_id, number_blind, tail4, kind, bank_code, fingerprint, added_by, added_at,"
        " usable_from) SELECT 'dst_copy', shop_key, holder_name, bank_name, number_sealed,"
        f" number_key_id, number_blind, tail4, {values['kind']}, {values['bank_code']}, 'other',"
        " added_by, added_at, usable_from FROM deposits_destination",
        [],
        breaks=breaks,
    )
