"""Several workers at the same moment: one payment goes back once."""

from __future__ import annotations

import pytest

from kuaitui.channels.port import Succeeded
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import operations
from kuaitui.payouts.models import SendBack, SendBackAttempt
from tests.integration.test_payouts_races import at_once
from tests.support import pay_ins_given as pig
from tests.support import send_backs_given as sbg

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("again", range(3))
def test_an_order_heard_by_many_is_begun_once(again: int) -> None:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))
    (case,) = sbg.suspense_cases()
    sbg.order_back(case.suspense_id, now=made.now)

    begun = at_once(
        [
            lambda: operations.begin_send_back(suspense_id=case.suspense_id, now=made.now)
            for _ in range(6)
        ]
    )

    assert SendBack.objects.count() == 1
    assert len({one for one in begun if one is not None}) == 1


@pytest.mark.parametrize("again", range(3))
def test_one_of_many_workers_sends_it(again: int) -> None:
    made = sbg.ordered()

    taken = at_once([lambda: sbg.claim(made.send_back_id, now=made.now) for _ in range(6)])

    assert len([one for one in taken if one is not None]) == 1
    assert SendBackAttempt.objects.count() == 1


def test_an_answer_recorded_by_many_counts_once() -> None:
    made = sbg.ordered()
    taken = sbg.claim(made.send_back_id, now=made.now)

    states = at_once(
        [lambda: sbg.record(taken, Succeeded("R", made.now), now=made.now) for _ in range(6)]
    )

    assert sorted(str(state) for state in states) == ["None"] * 5 + ["paid"]
    assert made.book == (0, 0)
    assert OutboxRow.objects.filter(event="deposits.SuspenseResolved").count() == 1
