"""SIGKILL while money comes in: it arrives once, and the order says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kuaitui.channels.port import NotFound, PayInOrder
from kuaitui.deposits import queries
from kuaitui.deposits.states import PayInState
from kuaitui.deposits.types import PayInPace
from kuaitui.kernel.clock import read_clock
from kuaitui.ledger import queries as ledger
from tests.support import pay_ins_given as pig
from tests.support.given import yuan
from tests.support.simulator import SimulatorProcess
from tests.support.waiting import await_
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)
# Each moment at which channel and database may know different things; the rest are between them.
CRASHES = (
    "pay_ins.claim.committed",
    "pay_ins.call.answered",
    "pay_ins.record.uncommitted#2",
)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path)
    yield process
    process.stop()


def started() -> pig.World:
    made = pig.world()
    made.now = read_clock()
    made.start(pace=PayInPace.brisk())
    return made


def as_asked(made: pig.World) -> PayInOrder:
    order = made.order
    return PayInOrder(order.number, order.amount, order.method, "", order.expires_at)


def pay_when_it_waits(made: pig.World, simulator: SimulatorProcess) -> None:
    channel, director = simulator.channel(), simulator.director()
    await_(
        lambda: channel.query_pay_in(as_asked(made), deadline_s=5.0) != NotFound(),
        "the channel has the order",
    )
    director.pay_in(made.order.number)
    director.close()


@pytest.mark.parametrize("crash_at", CRASHES)
def test_a_payment_arrives_once_wherever_the_worker_dies(
    tmp_path: Path, simulator: SimulatorProcess, crash_at: str
) -> None:
    made = started()
    log = tmp_path / "worker.log"
    dying = WorkerProcess(log, simulator_url=simulator.base_url, crash_at=crash_at)
    if crash_at.endswith("#2"):
        pay_when_it_waits(made, simulator)
    dying.wait()
    worker = WorkerProcess(log, simulator_url=simulator.base_url)
    try:
        if not crash_at.endswith("#2"):
            pay_when_it_waits(made, simulator)
        await_(lambda: made.state is PayInState.PAID, f"paid after {crash_at}")
    finally:
        assert worker.stop() == 0

    assert made.paid_in == yuan("¥500")
    assert queries.suspense_counts().waiting_count == 0
    opened = [outcome for kind, outcome in pig.attempts(made.order_id) if kind == "open"]
    assert len([outcome for outcome in opened if outcome == "opened"]) <= 1
    assert [*ledger.differences(), *queries.differences(), *queries.suspense_differences()] == []
