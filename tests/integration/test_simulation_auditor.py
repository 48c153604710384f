"""The auditor of simulated years judges a payout the same before and after its money has left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kuaitui.deposits.models import DepositAccount
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice
from kuaitui.simulation.auditor.approvals import judge_application
from kuaitui.simulation.auditor.evidence import Evidence, Shown
from kuaitui.simulation.shops import Reported
from kuaitui.simulation.world import ask
from tests.support import given
from tests.support.refunds_given import World

pytestmark = pytest.mark.django_db(transaction=True)
RULE = "an excess leaves what is required"
WHAT_HAPPENED: dict[str, Callable[[World], None]] = {
    "nothing": lambda _: None,
    "paid": World.channel_pays,
    "failed": World.channel_fails,
    "returned": lambda made: (made.channel_pays(), made.bank_returns())[0],
}


def paying_excess(deposit: str = "¥3,000") -> World:
    made = World(given.shop(deposit, required="¥1,000"))
    made.submit(choice=AmountChoice.EXCESS)
    made.check()
    if made.state is State.IN_REVIEW:
        made.approve()
    assert made.state is State.PAYING
    return made


def rules_broken(made: World) -> set[str]:
    ((*payout,),) = ask(
        "SELECT id, application_id, account_id, amount_minor, currency, begun_at"
        " FROM payouts_payout WHERE application_id = %s",
        made.application_id,
    )
    shown = Shown(1, "CNY", Reported(), {}, paid_in_minor=0, deducted_minor=0, hearings=())
    evidence = Evidence(
        at=made.now, books={}, channel_times={}, shops={made.shop.account_id: shown}, heard={},
        attempts=0, wrongs=(), lost_numbers=(),
    )  # fmt: skip
    return {rule for rule, _ in judge_application(ask, evidence, tuple(payout))}


@pytest.mark.parametrize("happened", WHAT_HAPPENED)
def test_an_excess_that_leaves_enough_is_no_finding_whatever_became_of_it(happened: str) -> None:
    made = paying_excess()

    WHAT_HAPPENED[happened](made)

    assert RULE not in rules_broken(made)


@pytest.mark.parametrize("happened", WHAT_HAPPENED)
def test_an_excess_that_leaves_a_fen_too_little_is_found_whatever_became_of_it(
    happened: str,
) -> None:
    made = paying_excess()
    WHAT_HAPPENED[happened](made)

    DepositAccount.objects.filter(public_id=made.shop.account_id).update(required_minor=1000_01)

    assert RULE in rules_broken(made)
