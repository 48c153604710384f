"""Somebody with a database console tries to send a payment in suspense back twice, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from kuaitui.channels.port import Accepted, Succeeded, Unknown
from kuaitui.deposits import operations as deposits
from kuaitui.payouts import operations
from tests.support import given
from tests.support import send_backs_given as sbg
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
Refused = Callable[..., None]
MOVE = "UPDATE payouts_send_back SET {}"
ATTEMPT = (
    "INSERT INTO payouts_send_back_attempt (send_back_id, attempt_no, kind, fence, started_at, cause)"
    " SELECT id, (SELECT count(*) + 1 FROM payouts_send_back_attempt WHERE send_back_id = going.id),"
    " '{}', {}, now(), '' FROM payouts_send_back AS going"
)
COPY = (
    "INSERT INTO payouts_send_back (public_id, suspense_id, nth, book_id, channel, number,"
    " payment_reference, amount_minor, currency, created_at, state, since, fence, checks, sends,"
    " channel_reference, code, set_aside_reason, next_check_at) SELECT 'sbk_x', {suspense_id}, 2,"
    " book_id, channel, {number}, {reference}, {amount}, currency, now(), 'ready', now(), 0, 0, 0,"
    " '', '', '', now() FROM payouts_send_back"
)
SAME = {
    "suspense_id": "suspense_id", "number": "'OTHER1'", "reference": "payment_reference",
    "amount": "amount_minor",
}  # fmt: skip


@pytest.fixture
def refused(raw_sql: RawSql) -> Refused:
    return partial(refuse, raw_sql, sbg.TABLES)


@pytest.fixture
def made() -> sbg.World:
    return sbg.ordered()


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("changes", "breaks"),
    [
        ({}, "a_case_is_sent_back_one_way_at_a_time"),
        ({"number": "number"}, "a_number_sends_back_once|a_case_is_sent_back_one_way_at_a_time"),
        ({"amount": "amount_minor + 1"}, "two_people_order_a_payment_back"),
        ({"reference": "'OTHER'"}, "two_people_order_a_payment_back"),
        ({"suspense_id": "'sus_nobody'"}, "two_people_order_a_payment_back"),
    ],
)
def test_a_payment_goes_back_once_whole_and_along_itself(
    refused: Refused, changes: dict[str, str], breaks: str
) -> None:
    refused(COPY.format(**{**SAME, **changes}), breaks=breaks)


def test_nothing_goes_back_that_two_people_did_not_order(refused: Refused, made: sbg.World) -> None:
    made.channel_says(Succeeded("R", made.now))

    refused(COPY.format(**SAME), breaks="two_people_order_a_payment_back")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("number = 'OTHER1'", "a_send_back_keeps_its_number_and_request"),
        ("amount_minor = 1", "a_send_back_keeps_its_number_and_request"),
        ("payment_reference = 'x'", "a_send_back_keeps_its_number_and_request"),
        ("fence = fence + 2", "a_send_back_fence_grows_by_one"),
        ("state = 'sending'", "a_send_back_is_claimed"),
        ("state = 'unknown'", "a_send_back_moves_by_the_table"),
        ("state = 'paid', settled_at = now()", "a_payment_is_back_on_the_channels_word"),
        ("state = 'returned'", "a_payment_comes_back_on_the_channels_word"),
        ("state = 'cancelled'", "send_back_state_is_known"),
        ("next_check_at = NULL", "no_live_send_back_is_forgotten"),
    ],
)
def test_a_send_back_moves_by_the_rules_only(refused: Refused, change: str, breaks: str) -> None:
    refused(MOVE.format(change), breaks=breaks)


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        ("state = 'ready'", "a_payment_goes_back_again_only_when_no_send_took_effect"),
        ("state = 'failed'", "a_send_back_fails_on_the_channels_word"),
        ("first_sent_at = now()", "a_send_back_is_sent_first_once"),
    ],
)
def test_what_may_have_left_is_not_called_unsent(
    refused: Refused, made: sbg.World, change: str, breaks: str
) -> None:
    made.channel_says(Unknown("deadline"))

    refused(MOVE.format(change), breaks=breaks)


@pytest.mark.usefixtures("made")
def test_a_send_is_claimed_first(refused: Refused) -> None:
    refused(ATTEMPT.format("send", "fence"), breaks="only_a_claimed_send_back_is_sent")
    refused(
        ATTEMPT.format("query", "fence + 1"), breaks="a_send_back_attempt_carries_a_fresh_fence"
    )


def test_a_send_without_outcome_is_asked_about_before_another(
    refused: Refused, raw_sql: RawSql, made: sbg.World
) -> None:
    sbg.claim(made.send_back_id, now=made.now)
    raw_sql(
        "UPDATE payouts_send_back_attempt SET outcome = 'unknown', finished_at = now()"
        " WHERE outcome IS NULL"
    )
    raw_sql(MOVE.format("fence = fence + 1"))

    refused(
        ATTEMPT.format("send", "fence"), breaks="a_send_back_without_outcome_is_asked_about_first"
    )


def test_after_a_hold_nothing_is_sent_that_was_not_asked_about(
    refused: Refused, raw_sql: RawSql, made: sbg.World
) -> None:
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=made.now)
    raw_sql(MOVE.format("state = 'sending', fence = fence + 1, sends = sends + 1"))

    refused(
        ATTEMPT.format("send", "fence"),
        breaks="a_payment_goes_back_after_a_hold_only_when_asked_about",
    )


def test_an_attempt_is_completed_once_and_nothing_leaves(refused: Refused, made: sbg.World) -> None:
    made.channel_says(Accepted("R"))

    refused(
        "UPDATE payouts_send_back_attempt SET outcome = 'succeeded'",
        breaks="a_send_back_attempt_is_completed_once",
    )
    for table in ("payouts_send_back", "payouts_send_back_attempt"):
        refused(f"DELETE FROM {table}", breaks=table)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (
            (
                "state = 'sent_back', refund_reference = 'R', sent_back_at = now(),"
                " sent_back_by = 'x', version = version + 1"
            ),
            "a_case_is_sent_back_by_its_send_back",
        ),
        (
            (
                "state = 'open', resolution = '', decided_by = '', decided_at = NULL,"
                " proposed_by = '', version = version + 1"
            ),
            "a_case_opens_again_when_it_certainly_did_not_go_back",
        ),
    ],
)
def test_a_case_that_was_ordered_back_ends_as_its_send_back_did(
    refused: Refused, raw_sql: RawSql, change: str, breaks: str
) -> None:
    refused(f"UPDATE deposits_suspense SET {change}", breaks=breaks)


def test_only_what_went_by_hand_is_noted_at_once_and_as_it_was_proposed(
    refused: Refused, made: sbg.World
) -> None:
    payer = made.payer
    payer.hint()
    payer.channel_says(payer.payment(reference="THIRD"))
    case = next(one for one in sbg.suspense_cases() if one.reference == "THIRD")
    deposits.propose_resolution(
        suspense_id=case.suspense_id,
        version=0,
        resolution=sbg.Resolution.SEND_BACK,
        account_id="",
        reason="Paid thrice.",
        actor=given.reviewer(),
        now=made.now,
    )
    noted = (
        "UPDATE deposits_suspense SET state = 'sent_back', decided_by = 'x', decided_at = now(),"
        " sent_back_at = now(), version = version + 1 {} WHERE reference = 'THIRD'"
    )

    refused(noted.format(""), breaks="only_what_went_by_hand_is_noted_at_once")
    refused(
        noted.format(", refund_reference = 'R'"), breaks="what_is_confirmed_is_what_was_proposed"
    )
