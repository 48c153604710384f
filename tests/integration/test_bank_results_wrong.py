"""A bank's table of results with one row wrong: refused whole, or exactly that row is not believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from kuaitui.channels.port import StatementKind
from kuaitui.payouts import queries
from kuaitui.payouts.models import BankMessage
from kuaitui.payouts.states import LegState
from kuaitui.reconciliation import operations as reconciliation
from kuaitui.reconciliation.queries import open_breaks
from kuaitui.reconciliation.types import ReadingState, Source
from tests.support import batches_given as bg
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.reconciliation_given import DAY, TODAY, ZONE, at
from tests.support.written_bills import Movement, write_camt053

pytestmark = pytest.mark.django_db
PAID, ACCEPTED, FAILED = LegState.PAID, LegState.ACCEPTED, LegState.FAILED
TABLES = (
    "payouts_payout", "payouts_leg", "payouts_attempt", "payouts_batch", "payouts_batch_leg",
    "payouts_bank_word", "ledger_book", "ledger_journal",
)  # fmt: skip
Rows = list[str]


@contextmanager
def nothing_but_the_trail_moves() -> Iterator[None]:
    """What is refused is recorded, and that is all."""
    before = contents()
    yield
    assert contents() == before


def contents() -> list[list[tuple[object, ...]]]:
    with connection.cursor() as cursor:
        found = []
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
            found.append(list(cursor.fetchall()))
        return found


@pytest.fixture
def worlds(settings) -> list[pg.World]:
    """Three payouts that the bank has."""
    bg.bank_in_settings(settings)
    made = [bg.waiting(f"¥{thousands},000") for thousands in (1, 2, 3)]
    bg.released(bg.bank(settings))
    for world in made:
        assert bg.carry_out(settings, world) is ACCEPTED
    return made


def second(change: Callable[[str], str]) -> Callable[[Rows], Rows]:
    return lambda rows: [rows[0], change(rows[1]), *rows[2:]]


def cell(index: int, value: str) -> Callable[[Rows], Rows]:
    def change(row: str) -> str:
        cells = row.split(",")
        return ",".join([*cells[:index], value, *cells[index + 1 :]])

    return second(change)


@pytest.mark.parametrize(
    ("spoil", "reason", "where"),
    [
        (lambda rows: [*rows, rows[1]], "number_twice", None),
        (cell(0, "leg900000000000000000000000901"), "number_of_nobody", None),
        (cell(0, "leg9"), "number_unreadable", "line 3 指令号"),
        (cell(1, "USD"), "another_currency", "line 3 币种"),
        (cell(2, "2000.000"), "amount_unreadable", "line 3 金额"),
        (cell(2, "2,000.00"), "cells_miscounted", "line 3"),
        (cell(2, "`2000.00"), "amount_unreadable", "line 3 金额"),
        (cell(2, ""), "amount_unreadable", "line 3 金额"),
        (cell(3, "PAID"), "status_unknown", "line 3 状态"),
        (cell(4, "yesterday"), "date_unreadable", "line 3 日期"),
        (second(lambda row: row.removesuffix(",R1")), "cells_miscounted", "line 3"),
        (second(lambda row: row[:-10]), "cells_miscounted", "line 3"),
        (cell(5, '"AC04'), "not_well_formed", None),
    ],
)
def test_a_table_with_a_wrong_row_is_refused_whole_and_moves_nothing(
    worlds, settings, spoil, reason, where
):
    rows = [bg.result(world, "BOOKED") for world in worlds]

    with nothing_but_the_trail_moves():
        taken = bg.bring(settings, *spoil(rows))

    kept = BankMessage.objects.get()
    assert (kept.pk, kept.refused_because) == (taken.message_no, reason)
    assert kept.refused_where == where or where is None
    assert queries.due_legs(now=NOW) == []
    bg.bring(settings, *rows)
    assert [bg.carry_out(settings, world) for world in worlds] == [PAID, PAID, PAID]


def test_results_of_a_payment_through_another_account_are_refused(worlds, settings):
    elsewhere = pg.payout("300", deposit_="300", application_id="rfa_elsewhere")
    assert queries.leg(elsewhere.leg_id).channel == given.CHANNEL

    with nothing_but_the_trail_moves():
        bg.bring(settings, bg.result(worlds[0], "BOOKED"), bg.result(elsewhere, "BOOKED"))

    kept = BankMessage.objects.get()
    named = queries.leg(elsewhere.leg_id).channel_number
    assert (kept.refused_because, kept.refused_where) == ("number_of_nobody", f"{named}01")


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda rows: [rows[0], rows[2]], ""),
        (cell(2, "2000.01"), "amount_differs"),
        (cell(2, "200.00"), "amount_differs"),
    ],
    ids=["a row lost", "a fen too much", "a point moved"],
)
def test_only_the_payment_whose_row_is_wrong_stays_unproven(worlds, settings, spoil, cause):
    held = worlds[1].held()

    bg.bring(settings, *spoil([bg.result(world, "BOOKED") for world in worlds]))

    later = NOW + pg.MINUTE * 90
    assert [bg.carry_out(settings, world, now=later) for world in worlds] == [PAID, ACCEPTED, PAID]
    assert worlds[1].held() == held
    assert queries.attempts(worlds[1].leg_id)[-1].cause == cause


def test_a_payment_called_rejected_that_the_statement_shows_is_a_state_and_stops_sending(
    worlds, settings
):
    rows = [bg.result(world, "BOOKED") for world in worlds]
    bg.bring(settings, *cell(5, "AC04")(cell(3, "REJECTED")(rows)), now=at(20))
    assert [bg.carry_out(settings, world) for world in worlds] == [PAID, FAILED, PAID]

    told = [
        Movement("payout", leg.channel_number, "R1", leg.amount.minor, at(15))
        for leg in (queries.leg(world.leg_id) for world in worlds)
    ]
    brought = bring_bill(settings, write_camt053(DAY, told))
    reconciliation.compare_bill(
        channel=bg.BANK, bill=StatementKind.FUNDS, day=DAY, zone=ZONE, today=TODAY, now=NOW
    )

    assert brought.is_taken, brought.reason
    wrong = {one.key: (one.kind.value, one.is_dangerous) for one in open_breaks()}
    assert wrong[told[1].number] == ("state", True)
    assert reconciliation.stop_for_breaks(now=NOW) == (bg.BANK,)


def test_a_table_of_results_is_no_bill(worlds, settings):
    table = "\r\n".join([bg.HEAD, *(bg.result(world, "BOOKED") for world in worlds)]).encode()

    with nothing_but_the_trail_moves():
        brought = bring_bill(settings, table)

    assert (brought.state, brought.is_taken) == (ReadingState.REFUSED, False)
    assert brought.reason == "not_well_formed"


def bring_bill(settings, content):
    return reconciliation.bring_file(
        channel=bg.BANK, reader=bg.channels(settings).stating(bg.BANK), bill=StatementKind.FUNDS,
        day=DAY, content=content, file_name="", source=Source.IMPORTED, actor=given.clerk(), now=NOW,
    )  # fmt: skip
