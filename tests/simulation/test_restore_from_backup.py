"""A database restored from an older backup pays nobody twice: real processes, a real restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kuaitui.deposits.queries import suspense_case
from kuaitui.deposits.states import SuspenseState
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations, queries
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, HoldCause
from tests.simulation.test_send_back_worker_is_killed import ordered_back
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.payouts_given import World
from tests.support.simulator import SimulatorProcess
from tests.support.waiting import await_
from tests.support.worker import WorkerProcess, database_url

pytestmark = pytest.mark.django_db(transaction=True)
FLOOR_S = 1.0


class Backup:
    """A copy of the database as it is now, and a way back to it."""

    def __init__(self) -> None:
        self._name = connection.settings_dict["NAME"]
        self._copy = f"{self._name}_backup"
        self._run("CREATE DATABASE {copy} TEMPLATE {name}")

    def restore(self) -> None:
        self._run("DROP DATABASE {name} WITH (FORCE)", "ALTER DATABASE {copy} RENAME TO {name}")

    def forget(self) -> None:
        self._run("DROP DATABASE IF EXISTS {copy}")

    def _run(self, *statements: str) -> None:
        connections.close_all()
        url = make_conninfo(database_url(), dbname="postgres")
        with psycopg.connect(url, autocommit=True) as server:
            for statement in statements:
                server.execute(
                    sql.SQL(statement).format(
                        name=sql.Identifier(self._name), copy=sql.Identifier(self._copy)
                    )
                )


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path)
    yield process
    process.stop()


def work_until(tmp_path: Path, simulator: SimulatorProcess, condition: Callable[[], bool]) -> None:
    worker = WorkerProcess(
        tmp_path / "worker.log", simulator_url=simulator.base_url, floor_s=FLOOR_S
    )
    try:
        await_(condition, "the worker does its work")
    finally:
        worker.stop()


def times_paid(simulator: SimulatorProcess) -> dict[str, int]:
    director = simulator.director()
    paid = director.paid()
    director.close()
    return {number: entry["times_paid"] for number, entry in paid.items()}


def paid_again(first: World, application_id: str) -> World:
    """Somebody applies, and is approved, once more for the money of the application lost."""
    return pg.payout_of(first.shop, application_id=application_id, now=read_clock())


def test_a_restore_from_backup_pays_nobody_twice(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    waiting = pg.payout(application_id="rfa_waiting", now=read_clock())
    to_come = World(given.shop(now=read_clock()), "rfa_to_come", "", 0)
    warm_up = pg.payout(application_id="rfa_first", now=read_clock())
    backup = Backup()
    try:
        lost = paid_again(to_come, "rfa_lost")
        work_until(
            tmp_path,
            simulator,
            lambda: {waiting.state, warm_up.state, lost.state} == {LegState.PAID},
        )
        backup.restore()
    finally:
        backup.forget()
    assert waiting.state is LegState.READY
    again = paid_again(to_come, "rfa_again")

    work_until(
        tmp_path,
        simulator,
        lambda: {waiting.state, warm_up.state, again.state} == {LegState.PAID},
    )

    held = queries.current_hold()
    assert held is not None
    assert (held.cause, held.unasked_count) == (HoldCause.MARK, 0)
    numbers = {queries.leg(world.leg_id).channel_number for world in (waiting, warm_up, again)}
    assert times_paid(simulator) == dict.fromkeys(numbers, 1)
    assert queries.differences() == []

    fresh = pg.payout(application_id="rfa_fresh", now=read_clock())
    work_until(tmp_path, simulator, lambda: queries.current_hold().unasked_count == 0)
    assert fresh.state is LegState.READY
    operations.propose_release(
        finding="Asked; all known.", actor=given.reviewer(), now=read_clock()
    )
    operations.confirm_release(actor=given.approver(), now=read_clock())
    work_until(tmp_path, simulator, lambda: fresh.state is LegState.PAID)


def test_a_restore_from_backup_sends_no_payment_back_twice(
    tmp_path: Path, simulator: SimulatorProcess
) -> None:
    """No payout was made in the window that was lost, so only the payment sent back can tell of it."""
    suspense_id = ordered_back()

    def is_back() -> bool:
        return suspense_case(suspense_id).state is SuspenseState.SENT_BACK

    backup = Backup()
    try:
        work_until(tmp_path, simulator, is_back)
        backup.restore()
    finally:
        backup.forget()
    assert queries.send_backs_of(suspense_id) == ()

    work_until(tmp_path, simulator, is_back)

    held = queries.current_hold()
    assert held is not None
    assert (held.cause, held.unasked_count) == (HoldCause.MARK, 0)
    (back,) = queries.send_backs_of(suspense_id)
    assert {call.kind for call in back.attempts} == {AttemptKind.QUERY}
    assert times_paid(simulator) == {back.number: 1}
    assert queries.differences() == []
