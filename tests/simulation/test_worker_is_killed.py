"""The worker dies at every named point, under every fault, and still pays everything once.

Real processes throughout: the worker, the simulated channel with its own book, PostgreSQL. The
channel is the worst there is: it forgets numbers, so whatever is sent twice is paid twice. Nothing
but asking first protects here. Process death only: power loss is PostgreSQL's own promise.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.deposits import queries as deposits
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.crashpoints import POINTS
from kuaitui.kit.outbox import undelivered_count
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from kuaitui.payouts import queries
from kuaitui.payouts.errors import PayoutUnknown
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.queries import LegProgress
from kuaitui.payouts.types import AttemptKind, AttemptOutcome
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.states import State
from tests.support import given
from tests.support import refunds_given as applications
from tests.support.simulator import SimulatorProcess
from tests.support.waiting import await_
from tests.support.worker import WorkerProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# These lie around news and the beginning of a payout, before any channel is called.
NEWS_POINTS = ("outbox.claimed", "outbox.handled", "payouts.begin.uncommitted")
# Points of the pages are met by `reliability`, where the pages run.
CALL_POINTS = tuple(
    point
    for point in POINTS
    if point.startswith(("payouts.", "channel.")) and point not in NEWS_POINTS
)
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
Story = applications.World


class Gauntlet:
    """The three processes, and the payouts that go through them."""

    def __init__(self, simulator: SimulatorProcess, directory: Path) -> None:
        self.simulator = simulator
        self.director: Director = simulator.director()
        self.log = directory / "worker.log"
        self.stories: list[Story] = []
        self._workers: list[WorkerProcess] = []
        self.director.set(forgets_numbers="1")

    def new_application(
        self, faults: tuple[tuple[Fault, float], ...] = (), operation: Operation = Operation.SUBMIT
    ) -> Story:
        """An application that the rule approves; the worker does everything from there."""
        now = read_clock()
        shop = given.shop(f"¥{1000 + len(self.stories)}", now=now)
        story = Story(shop, now=now)
        story.submit()
        self.stories.append(story)
        self.misbehave(story, faults, operation)
        return story

    def misbehave(
        self, story: Story, faults: tuple[tuple[Fault, float], ...], operation: Operation
    ) -> None:
        """The payment it came by is the payee; its last characters are unique here."""
        tail = story.deposit.lots[0].channel_reference[-4:]
        self.director.misbehave(
            *(Rule(fault, operation, tail=tail, seconds=s, times=1) for fault, s in faults)
        )

    def worker(self, *, crash_at: str = "", floor_s: float = HIDDEN_S) -> WorkerProcess:
        worker = WorkerProcess(
            self.log, simulator_url=self.simulator.base_url, crash_at=crash_at, floor_s=floor_s
        )
        self._workers.append(worker)
        return worker

    def end(self) -> None:
        """Leave no process behind, however the test ended."""
        for worker in self._workers:
            worker.kill()
        self.director.close()
        self.simulator.stop()

    def kill_at(self, point: str) -> None:
        code = self.worker(crash_at=point).wait()
        assert code == -signal.SIGKILL, f"{point} was never reached: {self.tail()}"

    def hold_all(self) -> None:
        """Leave every leg as its worker left it, but out of everybody's reach."""
        self._let_time_be("now() + interval '1 day'")

    def release(self, *stories: Story) -> None:
        """Let all leases and waits have run out."""
        self._let_time_be("now()", [leg_of(story).leg_id for story in stories] or None)

    def number_of(self, story: Story) -> str:
        return queries.leg(leg_of(story).leg_id).channel_number

    def await_(self, condition: Callable[[], bool], what: str) -> None:
        await_(condition, lambda: f"{what}: {self.unfinished()} {self.tail()}")

    def is_quiet(self) -> bool:
        """No news waits that could begin a payout, no call is under way, and nothing is due."""
        return not (
            undelivered_count()
            or PayoutLeg.objects.filter(lease_until__gt=read_clock()).exists()
            or queries.due_legs(now=read_clock())
        )

    def is_paid(self) -> bool:
        return not self.unfinished()

    def unfinished(self) -> set[str]:
        ids = [story.application_id for story in self.stories]
        unpaid = RefundApplication.objects.filter(public_id__in=ids).exclude(state=State.PAID)
        return set(unpaid.values_list("public_id", flat=True))

    def never_arrived(self) -> set[str]:
        """Whose number the channel has not heard of."""
        known = self.director.paid()
        return {
            story.application_id for story in self.stories if self.number_of(story) not in known
        }

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]

    def assert_every_number_is_paid_once(self) -> None:
        expected = {
            self.number_of(story): {
                "times_paid": 1,
                "times_returned": 0,
                "with_payee_minor": leg_of(story).amount.minor,
            }
            for story in self.stories
        }
        assert self.director.paid() == expected

    def assert_books_agree(self) -> None:
        assert queries.differences() == []
        assert deposits.differences() == []
        assert ledger.differences() == []
        totals = ledger.totals()
        assert all(totals[0].of(account).is_zero for account in Account), "everything was paid out"

    def assert_it_was_asked_between_two_sends(self) -> None:
        for story in self.stories:
            kinds = [attempt.kind for attempt in queries.attempts(leg_of(story).leg_id)]
            assert (AttemptKind.SEND, AttemptKind.SEND) not in pairwise(kinds), kinds

    def assert_each_send_was_cut(self, application_ids: set[str]) -> None:
        """A machine that stands still for longer than a call may take cuts its own request off."""
        for story in self.stories:
            if story.application_id in application_ids:
                made = queries.attempts(leg_of(story).leg_id)
                sent = [attempt.outcome for attempt in made if attempt.kind is AttemptKind.SEND]
                assert sent == [AttemptOutcome.UNKNOWN], made

    def assert_news_came_once(self) -> None:
        self.await_(lambda: not undelivered_count(), "news is delivered")
        for story in self.stories:
            assert story.codes.count("paid") == 1, story.codes
            assert story.codes.count("payout_begun") == 1, story.codes

    @staticmethod
    def _let_time_be(moment: str, leg_ids: list[str] | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE payouts_leg SET next_check_at = {moment}, lease_until = CASE"
                f" WHEN lease_until IS NOT NULL THEN {moment} END"
                " WHERE next_check_at IS NOT NULL AND (%s::text[] IS NULL OR public_id = ANY (%s))",
                [leg_ids, leg_ids],
            )
            cursor.execute(
                f"UPDATE kit_outbox SET deliver_after = {moment} WHERE delivered_at IS NULL"
            )


def leg_of(story: Story) -> LegProgress:
    (leg,) = queries.payout_of_application(story.application_id).legs
    return leg


@pytest.fixture
def gauntlet(tmp_path: Path) -> Iterator[Gauntlet]:
    simulator = SimulatorProcess(tmp_path)
    gauntlet = Gauntlet(simulator, tmp_path)
    yield gauntlet
    gauntlet.end()


def test_a_worker_killed_at_every_point_under_every_fault_pays_everything_once(
    gauntlet: Gauntlet,
) -> None:
    """Kill before it begins, while sending, and again while asking; then a healthy one takes over."""
    for point in NEWS_POINTS:
        story = gauntlet.new_application()
        gauntlet.kill_at(point)
        if point == "payouts.begin.uncommitted":
            with pytest.raises(PayoutUnknown):
                leg_of(story)
        gauntlet.hold_all()

    killed_before_the_call = set()
    for point in CALL_POINTS:
        for faults in SEND_FAULTS.values():
            story = gauntlet.new_application(faults)
            gauntlet.kill_at(point)
            gauntlet.hold_all()
            if point == "payouts.claim.committed":
                killed_before_the_call.add(story.application_id)

    for point in CALL_POINTS:
        for faults in QUERY_FAULTS.values():
            story = gauntlet.new_application(((Fault.DROP_ANSWER, 0),))
            gauntlet.kill_at("channel.request_written")
            gauntlet.hold_all()
            gauntlet.release(story)
            gauntlet.misbehave(story, faults, Operation.QUERY)
            gauntlet.kill_at(point)
            gauntlet.hold_all()

    gauntlet.release()
    worker = gauntlet.worker()
    gauntlet.await_(gauntlet.is_quiet, "all are taken up")
    # What the channel does not know may still arrive there: nothing of it was sent again.
    gauntlet.director.advance(seconds=HIDDEN_S)
    gauntlet.release()
    gauntlet.await_(
        lambda: gauntlet.unfinished() == gauntlet.never_arrived(),
        "the sent are paid, and what never left waits for the floor",
    )
    assert killed_before_the_call <= gauntlet.unfinished()
    gauntlet.assert_each_send_was_cut(gauntlet.unfinished() - killed_before_the_call)
    assert worker.stop() == 0

    # Past the channel's floor, what never left is sent under the same number.
    gauntlet.director.behave()
    gauntlet.release()
    worker = gauntlet.worker(floor_s=0.0)
    gauntlet.await_(gauntlet.is_paid, "all are paid")
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
            gauntlet.new_application(chance.choice(list(SEND_FAULTS.values())[:4]))
        time.sleep(chance.uniform(0.5, 1.6))
        victim = chance.randrange(2)
        workers[victim].kill()
        workers[victim] = gauntlet.worker(floor_s=60.0)

    gauntlet.release()
    gauntlet.await_(gauntlet.is_quiet, "all are taken up")
    for worker in workers:
        assert worker.stop() in {0, -signal.SIGTERM}, "one may just be starting"
    gauntlet.release()
    last = gauntlet.worker(floor_s=0.0)
    gauntlet.await_(gauntlet.is_paid, "all are paid")
    gauntlet.assert_news_came_once()
    gauntlet.await_(last.has_started, "the last worker works")
    assert last.stop() == 0
    gauntlet.assert_every_number_is_paid_once()
    gauntlet.assert_books_agree()
    gauntlet.assert_it_was_asked_between_two_sends()
