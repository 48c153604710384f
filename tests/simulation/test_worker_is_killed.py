"""The worker dies at every named point, under every fault, and still pays everything once.

Real processes throughout: the worker, the simulated channel with its own book, PostgreSQL. The
channel is the worst there is: it forgets numbers, so whatever is sent twice is paid twice. Nothing
but asking first protects here. Process death only: power loss is PostgreSQL's own promise.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import pytest
from django.db import connection

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.deposits import queries as deposits
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.crashpoints import POINTS, VARIABLE
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import queries
from kuaitui.payouts.errors import PayoutUnknown
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind
from tests.support import payouts_given as pg
from tests.support.simulator import SimulatorProcess
from tests.support.worker import WorkerProcess, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER_POINTS = tuple(point for point in POINTS if not point.startswith("payouts.begin"))
LATE_S = 2.5  # the brisk pace waits 2 s for an answer
HIDDEN_S = 3600.0
SEND_FAULTS: dict[str, tuple[tuple[Fault, float], ...]] = {
    "no fault": (),
    "accepted, answer dropped": ((Fault.DROP_ANSWER, 0),),
    "accepted, answered 500": ((Fault.ERROR_AFTER, 0),),
    "accepted, answered late": ((Fault.LATE_ANSWER, LATE_S),),
    "accepted, not known for a while": ((Fault.DROP_ANSWER, 0), (Fault.HIDDEN, HIDDEN_S)),
}
QUERY_FAULTS: dict[str, tuple[tuple[Fault, float], ...]] = {
    "no fault": (),
    "answer dropped": ((Fault.DROP_ANSWER, 0),),
}
_numbers = count(1)


class Gauntlet:
    """The three processes, and the payouts that go through them."""

    def __init__(self, simulator: SimulatorProcess, directory: Path) -> None:
        self.simulator = simulator
        self.director: Director = simulator.director()
        self.log = directory / "worker.log"
        self.worlds: list[pg.World] = []
        self.director.set(forgets_numbers="1")

    def new_payout(self) -> pg.World:
        amount = f"¥{1000 + len(self.worlds)}"
        now = read_clock()
        world = pg.payout(amount, deposit_=amount, application_id=f"rfa_{next(_numbers)}", now=now)
        self.worlds.append(world)
        return world

    def misbehave(
        self, world: pg.World, faults: tuple[tuple[Fault, float], ...], operation: Operation
    ) -> None:
        number = self.number_of(world)
        self.director.misbehave(
            *(Rule(fault, operation, number=number, seconds=s, times=1) for fault, s in faults)
        )

    def worker(self, *, crash_at: str = "", floor_s: float = HIDDEN_S) -> WorkerProcess:
        return WorkerProcess(
            self.log, simulator_url=self.simulator.base_url, crash_at=crash_at, floor_s=floor_s
        )

    def kill_at(self, point: str) -> None:
        code = self.worker(crash_at=point).wait()
        assert code == -signal.SIGKILL, f"{point} was never reached: {self.tail()}"

    def hold_all(self) -> None:
        """Leave every leg as its worker left it, but out of everybody's reach."""
        self._let_time_be("now() + interval '1 day'")

    def release(self, *worlds: pg.World) -> None:
        """Let all leases and waits have run out."""
        self._let_time_be("now()", [world.leg_id for world in worlds or self.worlds])

    def number_of(self, world: pg.World) -> str:
        return queries.leg(world.leg_id).channel_number

    def await_(self, condition: Callable[[], bool], *, within_s: float, what: str) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.unfinished()} {self.tail()}"
            time.sleep(0.2)

    def is_paid(self) -> bool:
        return not self.unfinished()

    def unfinished(self) -> dict[str, str]:
        return {w.leg_id: w.state.value for w in self.worlds if w.state is not LegState.PAID}

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]

    def assert_every_number_is_paid_once(self) -> None:
        book = self.director.book()
        expected = {
            self.number_of(world): {
                "times_paid": 1,
                "times_returned": 0,
                "with_payee_minor": world.legs[0].amount.minor,
            }
            for world in self.worlds
        }
        assert book["paid"] == expected

    def assert_books_agree(self) -> None:
        assert queries.differences() == []
        assert deposits.differences() == []
        assert ledger.differences() == []
        for world in self.worlds:
            assert world.held() == {}, "everything was paid out"

    def assert_it_was_asked_between_two_sends(self) -> None:
        for world in self.worlds:
            kinds = [attempt.kind for attempt in queries.attempts(world.leg_id)]
            pairs = pairwise(kinds)
            assert (AttemptKind.SEND, AttemptKind.SEND) not in pairs, kinds

    def assert_news_came_once(self) -> None:
        paid = OutboxRow.objects.filter(event="payouts.PayoutPaid")
        assert paid.count() == len(self.worlds)
        self.await_(
            lambda: not OutboxRow.objects.filter(delivered_at=None).exists(),
            within_s=10,
            what="news is delivered",
        )

    @staticmethod
    def _let_time_be(moment: str, leg_ids: list[str] | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE payouts_leg SET next_check_at = {moment}, lease_until = CASE"
                f" WHEN lease_until IS NOT NULL THEN {moment} END"
                " WHERE next_check_at IS NOT NULL AND (%s::text[] IS NULL OR public_id = ANY (%s))",
                [leg_ids, leg_ids],
            )


@pytest.fixture
def gauntlet(tmp_path: Path) -> Iterator[Gauntlet]:
    simulator = SimulatorProcess(tmp_path)
    gauntlet = Gauntlet(simulator, tmp_path)
    yield gauntlet
    gauntlet.director.close()
    simulator.stop()


def test_a_worker_killed_at_every_point_under_every_fault_pays_everything_once(
    gauntlet: Gauntlet,
) -> None:
    """Kill while sending, kill again while asking, then let a healthy worker take over."""
    killed_sending = {}
    for point in WORKER_POINTS:
        for name, faults in SEND_FAULTS.items():
            world = gauntlet.new_payout()
            gauntlet.misbehave(world, faults, Operation.SUBMIT)
            gauntlet.kill_at(point)
            gauntlet.hold_all()
            killed_sending[point, name] = world

    for point in WORKER_POINTS:
        for name, faults in QUERY_FAULTS.items():
            world = gauntlet.new_payout()
            gauntlet.misbehave(world, ((Fault.DROP_ANSWER, 0),), Operation.SUBMIT)
            gauntlet.kill_at("channel.request_written")
            gauntlet.release(world)
            gauntlet.misbehave(world, faults, Operation.QUERY)
            gauntlet.kill_at(point)
            gauntlet.hold_all()
            killed_sending[point, f"asking, {name}"] = world

    gauntlet.release()
    worker = gauntlet.worker()
    gauntlet.await_(
        lambda: not queries.due_legs(now=read_clock()), within_s=30, what="all are taken up"
    )
    # What the channel does not know may still arrive there: nothing of it was sent again.
    gauntlet.director.advance(seconds=HIDDEN_S)
    gauntlet.release()
    never_sent = {killed_sending["payouts.claim.committed", name].leg_id for name in SEND_FAULTS}
    gauntlet.await_(
        lambda: set(gauntlet.unfinished()) <= never_sent, within_s=30, what="the sent are paid"
    )
    assert worker.stop() == 0

    # Past the channel's floor, what never left is sent under the same number.
    gauntlet.director.behave()
    gauntlet.release()
    worker = gauntlet.worker(floor_s=0.0)
    gauntlet.await_(gauntlet.is_paid, within_s=30, what="all are paid")
    gauntlet.assert_news_came_once()
    assert worker.stop() == 0

    gauntlet.assert_every_number_is_paid_once()
    gauntlet.assert_books_agree()
    gauntlet.assert_it_was_asked_between_two_sends()


def test_workers_killed_at_any_moment_pay_everything_once(gauntlet: Gauntlet) -> None:
    """Two workers, faults by lot, and for a while one of them dies at a random moment."""
    chance = random.Random(20261123)
    workers = [gauntlet.worker(floor_s=60.0) for _ in range(2)]

    for _ in range(8):
        for _ in range(6):
            faults = chance.choice(list(SEND_FAULTS.values())[:4])
            gauntlet.misbehave(gauntlet.new_payout(), faults, Operation.SUBMIT)
        time.sleep(chance.uniform(0.5, 1.6))
        victim = chance.randrange(2)
        workers[victim].kill()
        workers[victim] = gauntlet.worker(floor_s=60.0)

    gauntlet.await_(
        lambda: not queries.due_legs(now=read_clock()), within_s=30, what="all are taken up"
    )
    for worker in workers:
        assert worker.stop() in {0, -signal.SIGTERM}, "one may just be starting"
    gauntlet.release()
    last = gauntlet.worker(floor_s=0.0)
    gauntlet.await_(gauntlet.is_paid, within_s=40, what="all are paid")
    gauntlet.assert_news_came_once()
    assert last.stop() == 0
    gauntlet.assert_every_number_is_paid_once()
    gauntlet.assert_books_agree()
    gauntlet.assert_it_was_asked_between_two_sends()


def test_whoever_begins_a_payout_and_dies_has_begun_nothing() -> None:
    script = (
        "import django; django.setup()\n"
        "from tests.support import payouts_given as pg\n"
        "pg.payout('¥1,000')\n"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "kuaitui.config.settings",
        VARIABLE: "payouts.begin.uncommitted",
    }
    finished = subprocess.run([sys.executable, "-c", script], env=environment, check=False)

    assert finished.returncode == -signal.SIGKILL
    with pytest.raises(PayoutUnknown):
        queries.payout_of_application(pg.APPLICATION)
    assert ledger.totals()[0].of(Account.FROZEN).is_zero
