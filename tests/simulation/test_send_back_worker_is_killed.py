"""SIGKILL while a payment goes back out of suspense: it goes once, and its book comes to zero.

The channel is the worst there is: it forgets numbers, so whatever is sent twice is paid twice.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from kuaitui.deposits import operations as deposits
from kuaitui.deposits import queries
from kuaitui.deposits.operations.suspense import put_into_suspense
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import FoundBy, SuspenseReason
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger import queries as ledger
from kuaitui.payouts.queries import send_backs_of
from tests.support import given
from tests.support import send_backs_given as sbg
from tests.support.given import yuan
from tests.support.simulator import SimulatorProcess
from tests.support.waiting import await_
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)
# Each moment at which channel and database may know different things; the rest are between them.
CRASHES = (
    "send_backs.begin.uncommitted",
    "send_backs.claim.uncommitted",
    "send_backs.claim.committed",
    "send_backs.call.answered",
    "send_backs.record.uncommitted",
)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path)
    yield process
    process.stop()


def ordered_back() -> str:
    """A payment that nobody knows, ordered back by two people; nobody has heard the news yet."""
    now = read_clock()
    found = deposits.FoundPayment(given.CHANNEL, "STRANGE", "", yuan("¥300"), now, None)
    with transaction.atomic():
        suspense_id = put_into_suspense(
            found, order=None, why=SuspenseReason.NEVER_HEARD_OF, found_by=FoundBy.BILL, now=now
        )
    sbg.order_back(suspense_id, now=now)
    return suspense_id


@pytest.mark.parametrize("crash_at", CRASHES)
def test_a_payment_goes_back_once_wherever_the_worker_dies(
    tmp_path: Path, simulator: SimulatorProcess, crash_at: str
) -> None:
    director = simulator.director()
    director.set(forgets_numbers="1")
    suspense_id = ordered_back()
    log = tmp_path / "worker.log"
    dying = WorkerProcess(log, simulator_url=simulator.base_url, crash_at=crash_at)
    assert dying.wait() == -signal.SIGKILL, f"{crash_at} was never reached"
    # Whoever died held the news for minutes more: let that time have passed.
    OutboxRow.objects.filter(delivered_at=None).update(deliver_after=read_clock())
    has_left = crash_at in {"send_backs.call.answered", "send_backs.record.uncommitted"}
    # What never left is sent again past the floor; what may have left never is before it.
    floor_s = 600.0 if has_left else 0.1
    worker = WorkerProcess(log, simulator_url=simulator.base_url, floor_s=floor_s)
    try:
        await_(
            lambda: queries.suspense_case(suspense_id).state is SuspenseState.SENT_BACK,
            f"sent back after {crash_at}: {send_backs_of(suspense_id)}",
        )
    finally:
        assert worker.stop() == 0

    (back,) = send_backs_of(suspense_id)
    assert list(director.paid()) == [back.number]
    assert sum(one["times_paid"] for one in director.paid().values()) == 1
    director.close()
    assert [*ledger.differences(), *queries.suspense_differences()] == []
