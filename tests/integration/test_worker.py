"""The worker goes on: a broken leg stops alone, a lost database comes back, SIGTERM finishes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from kuaitui.channels.port import Outcome
from kuaitui.channels.registry import Channels
from kuaitui.channels.simulator.faults import Fault, Rule
from kuaitui.interfaces.worker import sweeps
from kuaitui.interfaces.worker.carriers import Carriers
from kuaitui.interfaces.worker.loops import Loop
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.encryption import keyring
from kuaitui.payouts import queries
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import Pace
from tests.support import payouts_given as pg
from tests.support.payouts_given import ScriptedChannel, World
from tests.support.simulator import SimulatorProcess
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 60.0
Crew = Callable[..., Carriers]


def await_(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def payout(number: int) -> World:
    return pg.payout(application_id=f"rfa_{number}", now=read_clock())


@pytest.fixture
def carriers(tmp_path: Path) -> Crew:
    def begin(channel: ScriptedChannel, *, threads: int = 2) -> Carriers:
        return Carriers(
            channels=Channels({channel.name: channel}),
            pace=Pace(),
            threads=threads,
            when_free=lambda: None,
            watch=RestoreWatch(tmp_path / "marks"),
        )

    return begin


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path)
    yield process
    process.stop()


def test_a_leg_that_is_not_what_was_approved_stops_alone(carriers: Crew) -> None:
    broken, sound = payout(1), payout(2)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payouts_leg SET approval_hash = 'forged' WHERE public_id = %s", [broken.leg_id]
        )
        cursor.execute("SET session_replication_role = origin")
    channel = ScriptedChannel(lambda *_: pg.succeeded(read_clock()))
    crew = carriers(channel)

    crew.take_turn()
    await_(lambda: queries.leg(broken.leg_id).set_aside_reason != "", "the broken one is set aside")
    await_(lambda: sound.state is LegState.PAID, "the sound one is paid")
    crew.stop()

    assert queries.leg(broken.leg_id).set_aside_reason == "SealBroken"
    assert broken.state is LegState.READY
    assert len(channel.calls) == 1


def test_a_leg_that_nobody_foresaw_holds_up_no_other(carriers: Crew) -> None:
    strange, sound = payout(1), payout(2)
    context = f"payouts_leg.request:{strange.leg_id}:{pg.APPROVAL}"
    sealed = keyring().seal("{}", context=context)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payouts_leg SET request_sealed = %s, request_key_id = %s WHERE public_id = %s",
            [sealed.content, sealed.key_id, strange.leg_id],
        )
        cursor.execute("SET session_replication_role = origin")
    channel = ScriptedChannel(lambda *_: pg.succeeded(read_clock()))
    crew = carriers(channel)

    crew.take_turn()
    await_(lambda: sound.state is LegState.PAID, "the sound one is paid")
    assert crew.take_turn() is False, "the strange one rests"
    crew.stop()

    assert strange.state is LegState.READY
    assert len(channel.calls) == 1


def test_a_channel_the_settings_do_not_name_stops_its_leg_alone(carriers: Crew) -> None:
    world = payout(1)
    crew = carriers(ScriptedChannel(lambda *_: pg.succeeded(), name="another"))

    crew.take_turn()
    await_(lambda: queries.leg(world.leg_id).set_aside_reason != "", "it is set aside")
    crew.stop()

    assert queries.leg(world.leg_id).set_aside_reason == "ChannelUnknown"
    assert queries.attempts(world.leg_id) == ()


def test_no_more_calls_are_made_at_once_than_there_are_threads(carriers: Crew) -> None:
    for number in range(4):
        payout(number)
    may_answer = threading.Event()

    def answer(*_: object) -> Outcome:
        may_answer.wait(PATIENCE_S)
        return pg.succeeded(read_clock())

    channel = ScriptedChannel(answer)
    crew = carriers(channel, threads=2)

    crew.take_turn()
    await_(lambda: len(channel.calls) == 2, "two are called")
    assert crew.take_turn() is False
    assert len(channel.calls) == 2
    may_answer.set()
    crew.stop()


def test_a_loop_survives_what_its_turn_raises() -> None:
    stopping = threading.Event()
    turns: list[int] = []

    def turn() -> bool:
        turns.append(1)
        if len(turns) == 2:
            stopping.set()
        raise ZeroDivisionError

    loop = Loop("trial", turn, rest_s=PATIENCE_S, stopping=stopping)
    loop.start()
    loop.join(PATIENCE_S)

    assert len(turns) == 2


def test_a_nudged_loop_looks_at_once() -> None:
    stopping = threading.Event()
    looked = threading.Semaphore(0)

    def turn() -> bool:
        looked.release()
        return False

    loop = Loop("trial", turn, rest_s=PATIENCE_S * 10, stopping=stopping)
    loop.start()
    assert looked.acquire(timeout=PATIENCE_S)
    loop.nudge()
    assert looked.acquire(timeout=PATIENCE_S)
    stopping.set()
    loop.nudge()
    loop.join(PATIENCE_S)
    assert not loop.is_alive()


def test_a_failing_sweep_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[str] = []

    def fails(_now: object) -> int:
        raise ZeroDivisionError

    def works(_now: object) -> int:
        swept.append("works")
        return 1

    monkeypatch.setattr(sweeps, "SWEEPS", {"fails": fails, "works": works})

    with pytest.raises(ExceptionGroup):
        sweeps.sweep()
    assert swept == ["works"]


def test_a_worker_asked_to_stop_finishes_the_call_under_way(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    director = simulator.director()
    director.misbehave(Rule(Fault.LATE_ANSWER, seconds=1.0))
    world = payout(1)
    worker = WorkerProcess(tmp_path / "worker.log", simulator_url=simulator.base_url)

    await_(lambda: director.paid() != {}, "the channel has the instruction")
    director.close()

    assert worker.stop() == 0
    assert world.state is LegState.PAID


def test_a_worker_comes_back_when_its_database_connections_die(
    simulator: SimulatorProcess, tmp_path: Path
) -> None:
    first = payout(1)
    worker = WorkerProcess(tmp_path / "worker.log", simulator_url=simulator.base_url)
    await_(lambda: first.state is LegState.PAID, "it works")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    second = payout(2)

    await_(lambda: second.state is LegState.PAID, "it works again")
    assert worker.stop() == 0
