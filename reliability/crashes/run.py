"""The run: births and deaths under load, then a quiet end, then the audit."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kit.crashpoints import POINTS
from reliability.crashes import auditing, auditing_pay_ins
from reliability.crashes.plans import ANSWERED, CrashPlan, Victim
from reliability.crashes.plant import Plant

# Close-outs and what is sent back from suspense, whose workers tests/simulation kills, are not in
# this load.
LOADED = ("outbox.", "payouts.", "channel.", "pay_ins.")
WORKER_POINTS = tuple(point for point in POINTS if point.startswith(LOADED))
WEB_POINTS = ("refunds.submit.uncommitted", "refunds.approve.uncommitted", ANSWERED)
# A worker that comes to no point within this dies all the same, wherever it is.
LIFE_S_MAX = 2.0
# The run itself keeps about this many processes waiting for each core.
LOAD_OF_ITS_OWN = 2.0
QUIET_WITHIN_S = 240.0
PASSER_BY_WITHIN_S = 4.0
TRIES_MAX = 20
WORKERS = 4


@dataclass(slots=True)
class Figures:
    """What happened."""

    seed: int
    kills_worker: int = 0
    kills_web: int = 0
    crashes_database: int = 0
    kills_at: Counter[str] = field(default_factory=Counter)
    applications: int = 0
    applications_by_pages: int = 0
    sent_again: int = 0
    decisions: int = 0
    attempts: int = 0
    orders: int = 0
    payments: int = 0
    suspense: int = 0
    receipts: int = 0
    notifications: int = 0
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """Processes of ours that died."""
        return self.kills_worker + self.kills_web

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        names = [name for name in self.__slots__ if name != "kills_at"]
        return {
            **{name: getattr(self, name) for name in names},
            "kills": self.kills,
            "kills_at": dict(sorted(self.kills_at.items())),
            "is_sound": self.is_sound,
        }


class Run:
    """One run of a seed in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        kills: int,
        database_crashes: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self.plant = Plant(folder)
        self.figures = Figures(seed)
        self._chance = random.Random(seed)
        self._kills, self._crashes = kills, database_crashes
        self._say = say
        self._workers: list[tuple[ForkServerProcess, CrashPlan | None, float]] = []

    def run(self) -> Figures:
        """Everything, from the first process to the verdict."""
        self._began = read_stopwatch_s()
        try:
            self.plant.start()
            self._tell("started")
            self._under_load()
            self._tell("all applications have come to their end")
            self._come_to_rest()
            self._judge()
        finally:
            for worker, _, _ in self._workers:
                worker.kill()
            self.plant.stop()
        self.figures.seconds = round(read_stopwatch_s() - self._began, 1)
        return self.figures

    def _under_load(self) -> None:
        import django  # noqa: PLC0415 - only now this process belongs to the installation

        django.setup()
        from reliability.crashes.load import (  # noqa: PLC0415
            Applicants,
            Promises,
            Reviewers,
            Visitors,
        )
        from reliability.crashes.payers import Orders, Payers  # noqa: PLC0415

        self.promises, self.orders = Promises(), Orders()
        seed = self.figures.seed
        people = [
            Applicants(self.plant, self.promises, seed, shops=80),
            Visitors(self.plant, self.promises, seed, shops=12),
            Payers(self.plant, self.promises, self.orders, seed, shops=10),
            Reviewers(self.plant, self.promises, seed),
        ]
        for person in people:
            person.start()
        try:
            while self.figures.kills < self._kills or self.figures.crashes_database < self._crashes:
                self._strike_next()
                for person in people:
                    if person.failure is not None:
                        person.end()
            self._strike_where_nobody_came_by()
        finally:
            self.plant.trap.disarm()
            self._reap(end_all=True)
            self._rest(people)

    def _rest(self, people: list[Any]) -> None:
        """Applicants and payers stop; reviewers go on until nothing waits for them."""
        self.plant.await_database()
        self.plant.await_web()
        self._workers = [(self.plant.bear_worker(), None, 0.0) for _ in range(2)]
        *askers, reviewers = people
        for person in askers:
            person.end()
        auditing.let_leases_end(self.plant.installation.database.url())
        self._await_end()
        reviewers.end()

    def _strike_next(self) -> None:
        self._reap()
        while len(self._workers) < WORKERS:
            self._bear()
        done = self.figures.kills / max(1, self._kills)
        if self.figures.crashes_database < self._crashes * min(1.0, done + 0.02):
            self._crash_database()
        elif self.figures.kills_web < self.figures.kills * 0.12:
            self._strike_web()
        time.sleep(0.01)

    def _bear(self) -> None:
        plan = None
        if self._chance.random() < 0.8:
            plan = CrashPlan(self._point_met_least(), self._chance.randint(1, 3))
        life_s = LIFE_S_MAX * _slowness() if plan else self._chance.uniform(0.05, 0.8)
        worker = self.plant.bear_worker(plan)
        self._workers.append((worker, plan, read_stopwatch_s() + life_s))

    def _point_met_least(self) -> str:
        """One of the points that the fewest died at so far."""
        least = min(self.figures.kills_at[point] for point in WORKER_POINTS)
        return self._chance.choice(
            [point for point in WORKER_POINTS if self.figures.kills_at[point] <= least + 1]
        )

    def _reap(self, *, end_all: bool = False) -> None:
        """Count the dead; let those die whose time is up."""
        living = []
        for worker, plan, until_s in self._workers:
            if worker.is_alive() and (end_all or read_stopwatch_s() > until_s):
                worker.kill()
                worker.join(10)
                self._count("at any moment")
            elif worker.is_alive():
                living.append((worker, plan, until_s))
            elif worker.exitcode == -signal.SIGKILL and plan is not None:
                self._count(plan.point)
            else:
                raise RuntimeError(
                    f"a worker ended by itself with {worker.exitcode}: {self._log()}"
                )
        self._workers = living

    def _count(self, where: str) -> None:
        self.figures.kills_worker += 1
        self.figures.kills_at[where] += 1
        self._tell(where)

    def _tell(self, what: str) -> None:
        seconds = read_stopwatch_s() - self._began
        self._say(f"{seconds:7.1f} s  {self.figures.kills:5} kills  {what}")

    def _strike_web(self) -> None:
        """Kill who answers requests: at a point when somebody comes by, or right now."""
        if self._chance.random() < 0.3:
            if self.plant.kill_web_worker():
                self.figures.kills_at["web, at any moment"] += 1
                self.figures.kills_web += 1
        else:
            self._strike_web_at(min(WEB_POINTS, key=lambda point: self.figures.kills_at[point]))
        self.plant.await_web()

    def _strike_web_at(self, point: str) -> None:
        """Kill whoever comes by this point within a while, if anybody does."""
        if self._comes_by(point, Victim.PROCESS):
            self.figures.kills_at[point] += 1
            self.figures.kills_web += 1

    def _comes_by(self, point: str, victim: Victim) -> bool:
        """Whether anybody has come to the point of a page within a while, and struck."""
        self.plant.trap.arm(point, victim)
        wait_s = PASSER_BY_WITHIN_S * _slowness()
        struck = self._wait_for(lambda: not self.plant.trap.is_armed(point), seconds=wait_s)
        self.plant.trap.disarm()
        return struck

    def _strike_where_nobody_came_by(self) -> None:
        """A short run, or a slow machine, may have met some points of the pages not once."""
        for _ in range(TRIES_MAX):
            unmet = [point for point in WEB_POINTS if not self.figures.kills_at[point]]
            if not unmet:
                return
            self._strike_web_at(unmet[0])
            self.plant.await_web()

    def _crash_database(self) -> None:
        """Kill a server process at a point of a worker or a page, or the server itself."""
        kind = self._chance.choice(["server", "worker", "web"])
        if kind == "server":
            self.plant.crash_database()
            self.figures.kills_at["database, at any moment"] += 1
            self.figures.crashes_database += 1
        elif kind == "worker" and self._crash_at_a_point_of_a_worker():
            self.figures.crashes_database += 1
        elif kind == "web":
            point = self._chance.choice(WEB_POINTS[:2])
            if self._comes_by(point, Victim.DATABASE):
                self.figures.kills_at[f"database, {point}"] += 1
                self.figures.crashes_database += 1
        self.plant.await_database()

    def _crash_at_a_point_of_a_worker(self) -> bool:
        """A worker takes the database along; whether it came to the point."""
        points = [point for point in WORKER_POINTS if not point.startswith("channel.")]
        plan = CrashPlan(self._chance.choice(points), victim=Victim.DATABASE)
        before = self._starts_of_database()
        worker = self.plant.bear_worker(plan)
        struck = self._wait_for(lambda: self._starts_of_database() > before, seconds=LIFE_S_MAX)
        worker.kill()
        worker.join(10)
        self._count("at any moment")
        if struck:
            self.figures.kills_at[f"database, {plan.point}"] += 1
        return struck

    def _starts_of_database(self) -> int:
        log = self.plant.installation.database.log
        return log.read_bytes().count(b"all server processes terminated; reinitializing")

    def _wait_for(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        deadline = read_stopwatch_s() + seconds
        while read_stopwatch_s() < deadline:
            self._reap()
            while len(self._workers) < WORKERS:
                self._bear()
            if condition():
                return True
            time.sleep(0.01)
        return False

    def _await_end(self) -> None:
        url = self.plant.installation.database.url()
        deadline = read_stopwatch_s() + QUIET_WITHIN_S
        while waiting := [*auditing.unfinished(url), *self._unplaced(url)]:
            if read_stopwatch_s() > deadline:
                self.figures.findings += [f"{name} is stuck in {state}" for name, state in waiting]
                return
            time.sleep(0.3)

    def _unplaced(self, url: str) -> list[tuple[str, str]]:
        theirs = self.plant.director.book()
        names = auditing_pay_ins.unplaced(url, theirs["payments"])
        if names:
            self._let_it_be_told_again(theirs)
        return [(name, "nowhere") for name in names]

    def _let_it_be_told_again(self, theirs: Mapping[str, Any]) -> None:
        """What could not be told while the pages were dead is repeated after minutes, or hours."""
        due = [told["due_at"] for told in theirs["notifications"] if told["due_at"] is not None]
        if due and min(due) > theirs["now"]:
            self.plant.director.advance(seconds=min(due) - theirs["now"])

    def _come_to_rest(self) -> None:
        for worker, _, _ in self._workers:
            worker.terminate()
            worker.join(60)
        self._workers = []

    def _judge(self) -> None:
        figures, url = self.figures, self.plant.installation.database.url()
        theirs = self.plant.director.book()
        figures.findings += auditing.findings(url, theirs["paid"], self.promises.made)
        figures.findings += auditing_pay_ins.findings(
            url, theirs["payments"], self.orders.made, self.orders.receipts
        )
        verified = self.plant.installation.run("verify", "--json", check=False)
        for name, differences in json.loads(verified.stdout)["differences"].items():
            figures.findings += [f"{name}: {difference}" for difference in differences]
        figures.applications = len(self.promises.made)
        figures.applications_by_pages = self.promises.by_pages
        figures.sent_again = self.promises.sent_again
        figures.decisions = self.promises.decided
        figures.attempts = len(theirs["requests"])
        figures.orders = len(self.orders.made)
        figures.payments = len(theirs["payments"])
        figures.receipts = len(self.orders.receipts)
        figures.suspense = auditing_pay_ins.suspense_count(url)
        figures.notifications = len(theirs["notifications"])

    def _log(self) -> str:
        return self.plant.log.read_text(errors="replace")[-1500:]


def _slowness() -> float:
    """How much longer everything takes here now than on a machine that does only this."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(4.0, max(1.0, load / LOAD_OF_ITS_OWN))


def run_crashes(
    folder: Path,
    *,
    kills: int,
    database_crashes: int,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> Figures:
    """Kill that many processes and crash the database that often; what was found, and how much."""
    run = Run(folder, kills=kills, database_crashes=database_crashes, seed=seed, say=say)
    return run.run()
