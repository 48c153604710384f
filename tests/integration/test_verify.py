"""`kuaitui verify` finds what somebody changed behind the database's back, and nothing else."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable

import pytest

from kuaitui.interfaces.cli import verify
from kuaitui.refunds.states import State
from tests.support import refunds_given
from tests.support.refunds_given import LARGE, MIDDLE, World

# Drafts hold no money; checked and approved applications move on in the same breath.
STATES = [state for state in State if state not in {State.DRAFT, State.CHECKING, State.APPROVED}]

pytestmark = pytest.mark.django_db

RAISE_BALANCE = """
    UPDATE ledger_book SET balances = ARRAY[balances[1] + 1, 0, 0, balances[4] + 1, balances[5],
        balances[6], 0, 0, 0]::bigint[]
"""

LAST_EVENT_LEAVES = """
    DELETE FROM audit_event USING audit_stream
    WHERE name = stream_id AND event_no = events_count
"""


@pytest.fixture
def submitted() -> World:
    return refunds_given.application(State.SUBMITTED)


@pytest.fixture
def behind_the_back(raw_sql) -> Callable[[str], None]:
    """Somebody who may switch the database's own rules off."""

    def change(statement: str) -> None:
        raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
        raw_sql("SET session_replication_role = replica")
        raw_sql(statement)
        raw_sql("SET session_replication_role = origin")

    return change


def verified(capsys) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = verify.run(Namespace(json=True, all=False))
    return code, json.loads(capsys.readouterr().out)


def test_a_sound_installation_has_no_difference(submitted, capsys) -> None:
    code, result = verified(capsys)

    assert code == 0
    assert result["is_true"]
    assert result["books"] == 1
    assert result["journals"] == 2
    assert result["entries"] == 2
    assert result["audit_events"]
    assert not any(result["differences"].values())


@pytest.mark.parametrize("state", STATES)
def test_an_application_in_any_state_leaves_no_difference(state, capsys) -> None:
    is_second = state is State.AWAITING_SECOND_APPROVAL
    refunds_given.application(state, LARGE if is_second else MIDDLE)

    code, result = verified(capsys)

    assert code == 0, result["differences"]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        (RAISE_BALANCE, "balances follow from entries"),
        (
            "UPDATE ledger_journal SET amounts = '{5}' WHERE journal_no = 2",
            "balances follow from entries",
        ),
        ("DELETE FROM ledger_journal WHERE journal_no = 1", "balances follow from entries"),
        ("UPDATE ledger_journal SET journal_no = 9 WHERE journal_no = 2", "balances follow"),
        ("UPDATE deposits_lot SET deducted_minor = 5", "lots and holds follow from balances"),
        ("UPDATE deposits_hold SET released_minor = 5", "lots and holds follow from balances"),
        ("DELETE FROM deposits_hold", "lots and holds follow from balances"),
        (
            "UPDATE refunds_application SET state = 'withdrawn'",
            "money set aside belongs to open applications",
        ),
        (
            "UPDATE refunds_application SET amount_minor = 7",
            "money set aside belongs to open applications",
        ),
        ("DELETE FROM deposits_hold", "money set aside belongs to open applications"),
        (
            "UPDATE audit_event SET content = replace(content, 'usr_', 'usr_x')",
            "the audit chain is unbroken",
        ),
        ("DELETE FROM audit_event WHERE event_no = 1", "the audit chain is unbroken"),
        (LAST_EVENT_LEAVES, "the audit chain is unbroken"),
    ],
)
def test_what_was_changed_behind_the_back_is_found(
    submitted, behind_the_back, capsys, statement, check
) -> None:
    behind_the_back(statement)

    code, result = verified(capsys)

    named = [name for name, found in result["differences"].items() if found]
    assert code == 1
    assert not result["is_true"]
    assert any(name.startswith(check) for name in named), named


def test_money_in_transit_without_a_leg_is_found(behind_the_back, capsys) -> None:
    refunds_given.application(State.PAYING)
    behind_the_back(
        "UPDATE payouts_leg SET state = 'accepted', first_sent_at = now(), last_sent_at = now()"
    )

    code, result = verified(capsys)

    assert code == 1
    assert result["differences"]["money in transit follows from legs"]


def test_people_read_what_differs_in_words(submitted, behind_the_back, capsys) -> None:
    behind_the_back(RAISE_BALANCE)

    code = verify.run(Namespace(json=False, all=False))

    said = capsys.readouterr().out
    assert code == 1
    assert "FAIL balances follow from entries" in said
    assert "balances and entries differ" in said
    assert "ok   the audit chain is unbroken" in said
