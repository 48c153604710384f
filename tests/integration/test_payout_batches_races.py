"""Two people and workers at the same moment: a batch is decided once, and its legs leave once."""

from __future__ import annotations

import pytest
from django.db import transaction

from kuaitui.kernel.errors import Refusal
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import BatchChanged, BatchNotOpen, PayoutUnderWay
from kuaitui.payouts.models import BankMessage, PayoutAttempt
from kuaitui.payouts.states import BatchState, LegState
from tests.integration.test_payouts_races import at_once
from tests.support import batches_given as bg
from tests.support import given
from tests.support.given import NOW
from tests.support.payouts_given import PACE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bank(settings):
    bg.bank_in_settings(settings)
    return bg.bank(settings)


def tried(act):
    def attempt():
        try:
            return act()
        except Refusal as refusal:
            return type(refusal)

    return attempt


def release(bank, batch_id):
    return operations.release_batch(
        channel=bank,
        batch_id=batch_id,
        content_hash=queries.batch(batch_id).content_hash,
        actor=given.approver(),
        now=NOW,
    )


@pytest.mark.parametrize("again", range(3))
def test_two_releases_at_once_release_once(bank, again):
    bg.waiting()
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    answers = at_once([tried(lambda: release(bank, batch_id)) for _ in range(4)])

    assert sorted(answers, key=str)[1:] == [BatchNotOpen] * 3
    assert queries.batch(batch_id).state is BatchState.RELEASED


@pytest.mark.parametrize("again", range(3))
def test_a_release_and_a_calling_off_at_once_do_not_both_happen(bank, again):
    bg.waiting()
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    def call_off():
        operations.cancel_batch(batch_id=batch_id, actor=given.reviewer(), now=NOW)

    answers = at_once([tried(lambda: release(bank, batch_id)), tried(call_off)])

    assert answers.count(BatchNotOpen) == 1


@pytest.mark.parametrize("again", range(3))
def test_two_people_who_build_at_once_do_not_take_the_same_leg(bank, again):
    bg.waiting()

    def build():
        return operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    answers = at_once([tried(build) for _ in range(3)])

    assert len([answer for answer in answers if isinstance(answer, str)]) == 1


@pytest.mark.parametrize("again", range(3))
def test_a_withdrawal_and_a_release_at_once_leave_nothing_half_done(bank, again):
    world = bg.waiting()
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    def withdraw():
        with transaction.atomic():
            operations.cancel_payout(application_id=world.application_id, now=NOW)

    def release_and_send():
        release(bank, batch_id)
        return operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=NOW)

    withdrawn, sent = at_once([tried(withdraw), tried(release_and_send)])

    if withdrawn is PayoutUnderWay:
        assert world.state is LegState.SENDING
    else:
        assert world.state is LegState.CANCELLED
        assert sent in {None, BatchChanged}
        assert PayoutAttempt.objects.count() == 0


def test_the_same_message_from_two_workers_is_one(bank):
    content = b"<broken"

    at_once(
        [
            lambda: operations.take_in_from_mailbox(channel=bank, content=content, now=NOW)
            for _ in range(4)
        ]
    )

    assert BankMessage.objects.count() == 1
