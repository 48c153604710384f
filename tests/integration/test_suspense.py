"""Money without a place: one person proposes, another confirms, and the books stay true."""

from __future__ import annotations

import pytest

from kuaitui.deposits import errors, operations, queries
from kuaitui.deposits.models import DepositAccount, SuspenseRow
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import Resolution
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support.given import nothing_moves, yuan

pytestmark = pytest.mark.django_db
MAKER, CHECKER = given.reviewer(), given.approver()


@pytest.fixture
def made() -> pig.World:
    """An order paid twice: the second payment waits."""
    world = pig.paid()
    world.hint()
    world.channel_says(world.payment(reference="SECOND"))
    return world


def case() -> queries.SuspenseCase:
    (found,) = queries.suspense_cases(states=frozenset(SuspenseState))
    return found


def propose(made: pig.World, *, actor: Actor = MAKER, **changes: object) -> None:
    decision: dict[str, object] = {
        "suspense_id": case().suspense_id,
        "version": case().version,
        "resolution": Resolution.ATTRIBUTE,
        "account_id": made.shop.account_id,
        "reason": "The same seller paid twice and wants it kept.",
        "actor": actor,
        "now": made.now,
    }
    operations.propose_resolution(**{**decision, **changes})


def confirm(made: pig.World, *, actor: Actor = CHECKER, **changes: object) -> SuspenseState:
    decision: dict[str, object] = {
        "suspense_id": case().suspense_id,
        "version": case().version,
        "actor": actor,
        "now": made.now,
    }
    return operations.confirm_resolution(**{**decision, **changes})


def in_suspense_book() -> tuple[str, str]:
    balances = ledger.balances(SuspenseRow.objects.get().book_id)
    return tuple(
        f"{balances.of(account).to_decimal():,.0f}"
        for account in (Account.AT_CHANNEL, Account.FROZEN)
    )


def total_at_channel() -> int:
    return sum(total.of(Account.AT_CHANNEL).minor for total in ledger.totals())


def nothing_differs() -> bool:
    return not (ledger.differences() or queries.differences() or queries.suspense_differences())


def test_what_is_found_lies_set_aside_in_a_book_of_its_own(made: pig.World) -> None:
    assert case().state is SuspenseState.OPEN
    assert in_suspense_book() == ("300", "300")
    assert nothing_differs()


def test_two_people_attribute_a_payment_to_a_deposit(made: pig.World) -> None:
    before = total_at_channel()

    propose(made)
    assert made.paid_in == yuan("¥500")
    assert confirm(made) is SuspenseState.ATTRIBUTED

    lot = queries.deposit(made.shop.account_id).lots[-1]
    assert (lot.amount, lot.channel_reference) == (yuan("¥300"), "SECOND")
    assert case().lot_id == lot.lot_id
    assert in_suspense_book() == ("0", "0")
    assert total_at_channel() == before
    assert nothing_differs()


def test_two_people_order_that_a_payment_goes_back(made: pig.World) -> None:
    before = total_at_channel()
    propose(made, resolution=Resolution.SEND_BACK, account_id="")

    assert confirm(made) is SuspenseState.TO_SEND_BACK

    assert in_suspense_book() == ("300", "300"), "set aside until the channel has sent it"
    assert total_at_channel() == before
    assert nothing_differs()


def test_two_people_note_that_a_payment_has_gone_back_by_hand(made: pig.World) -> None:
    before = total_at_channel()
    propose(made, resolution=Resolution.BY_HAND, account_id="", refund_reference=" R1 ")
    assert in_suspense_book() == ("300", "300")

    assert confirm(made) is SuspenseState.SENT_BACK

    assert case().refund_reference == "R1"
    assert in_suspense_book() == ("0", "0")
    assert total_at_channel() == before - 30_000
    assert made.paid_in == yuan("¥500")
    assert nothing_differs()


def test_a_refund_made_by_hand_closes_one_case(made: pig.World) -> None:
    propose(made, resolution=Resolution.BY_HAND, account_id="", refund_reference="R1")
    confirm(made)
    made.hint()
    made.channel_says(made.payment(reference="THIRD"))
    (third,) = queries.suspense_cases()
    again = {"suspense_id": third.suspense_id, "version": 0, "refund_reference": "R1"}

    with nothing_moves(*pig.TABLES), pytest.raises(errors.SuspenseReferenceTaken):
        propose_by_hand(made, **again)


def propose_by_hand(made: pig.World, **changes: object) -> None:
    decision: dict[str, object] = {
        "resolution": Resolution.BY_HAND,
        "account_id": "",
        "reason": "Refunded in the channel's console on the phone with the payer.",
        "actor": MAKER,
        "now": made.now,
    }
    operations.propose_resolution(**{**decision, **changes})


def test_whoever_proposes_does_not_confirm(made: pig.World) -> None:
    propose(made)

    with nothing_moves(*pig.TABLES), pytest.raises(errors.SuspenseNeedsSecondPerson):
        confirm(made, actor=MAKER)


def test_a_second_person_may_disagree(made: pig.World) -> None:
    propose(made)

    operations.refuse_resolution(
        suspense_id=case().suspense_id, version=case().version, actor=CHECKER, now=made.now
    )

    assert (case().state, case().resolution, case().proposed_by) == (SuspenseState.OPEN, None, "")
    assert in_suspense_book() == ("300", "300")
    propose(made, actor=CHECKER)
    assert confirm(made, actor=MAKER) is SuspenseState.ATTRIBUTED


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "  "}, errors.SuspenseReasonMissing),
        ({"account_id": ""}, errors.SuspenseNeedsAccount),
        ({"account_id": "dep_nobody"}, errors.DepositAccountUnknown),
        ({"version": 7}, errors.SuspenseMovedOn),
        ({"suspense_id": "sus_nobody"}, errors.SuspenseUnknown),
    ],
)
def test_a_proposal_that_cannot_be_is_refused_and_nothing_moves(
    made: pig.World, changes: dict[str, object], refusal: type[Refusal]
) -> None:
    with nothing_moves(*pig.TABLES), pytest.raises(refusal):
        propose(made, **changes)


@pytest.mark.parametrize("act", [propose, confirm])
def test_what_was_decided_is_not_decided_again(made: pig.World, act) -> None:
    propose(made)
    confirm(made)

    with nothing_moves(*pig.TABLES), pytest.raises(errors.SuspenseMovedOn):
        act(made)


def test_nothing_is_confirmed_that_was_not_proposed(made: pig.World) -> None:
    with nothing_moves(*pig.TABLES), pytest.raises(errors.SuspenseMovedOn):
        confirm(made)


def test_a_deposit_that_was_closed_meanwhile_takes_no_payment(made: pig.World) -> None:
    propose(made)
    DepositAccount.objects.filter(public_id=made.shop.account_id).update(is_open=False)

    with nothing_moves(*pig.TABLES), pytest.raises(errors.DepositAccountClosed):
        confirm(made)


def test_a_refund_without_its_number_closes_no_case(made: pig.World) -> None:
    with nothing_moves(*pig.TABLES), pytest.raises(errors.SuspenseReferenceMissing):
        propose(made, resolution=Resolution.BY_HAND, account_id="", refund_reference=" ")


def test_the_counts_say_how_much_waits_for_whom(made: pig.World) -> None:
    assert queries.suspense_counts().open_count == 1
    propose(made)
    counts = queries.suspense_counts()
    assert (counts.open_count, counts.proposed_count, counts.waiting_count) == (0, 1, 1)
    confirm(made)
    assert queries.suspense_counts().waiting_count == 0
    assert queries.suspense_counts().oldest_found_at is None
