"""Applying: what is refused moves nothing, what is repeated finds the first."""

from __future__ import annotations

import pytest

from kuaitui.deposits.errors import (
    DepositAccountUnknown,
    DestinationRequired,
    DestinationUnknown,
)
from kuaitui.deposits.queries import deposit, destination
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.notifications.queries import notices_of
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import operations, queries
from kuaitui.refunds.errors import (
    AmountAboveRefundable,
    AmountChangedSinceShown,
    AmountCurrencyWrong,
    AmountMissing,
    AmountNotPositive,
    ApplicationAlreadyOpen,
    ApplicationUnknown,
    DestinationOfAnotherShop,
    NotEligible,
    NoteTooLong,
    NothingRefundable,
    RequestKeyMissing,
    RequestKeyReused,
)
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, Reason
from tests.support import given
from tests.support.given import NOW, yuan
from tests.support.refunds_given import MIDDLE, SMALL, TABLES, application, world

pytestmark = pytest.mark.django_db

PART = {"choice": AmountChoice.PART}


def test_submitting_sets_the_money_aside_and_keeps_what_was_known() -> None:
    made = world(MIDDLE)

    submitted = made.submit()

    assert submitted.is_new
    assert made.state is State.SUBMITTED
    assert made.deposit.frozen == yuan(MIDDLE)
    assert made.deposit.available == yuan("0")
    case = made.case
    assert case.facts_then["deposit"]["frozen_minor"] == 0
    assert case.assessment_then["eligible"] is True
    assert made.view.policy_pack == "reference"
    assert made.view.due_on == made.view.eta.review_by


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({**PART, "amount": None}, AmountMissing),
        ({**PART, "amount": Money(0, "CNY")}, AmountNotPositive),
        ({**PART, "amount": Money(-1, "CNY")}, AmountNotPositive),
        ({**PART, "amount": yuan("10,000.01")}, AmountAboveRefundable),
        ({**PART, "amount": Money(100, "USD")}, AmountCurrencyWrong),
        ({"note": "x" * 501}, NoteTooLong),
        ({"request_key": ""}, RequestKeyMissing),
        ({"request_key": "k" * 81}, RequestKeyMissing),
        ({"account_id": "dep_nobody"}, DepositAccountUnknown),
        ({"shop_key": -1}, DepositAccountUnknown),
        ({"destination_id": "dst_nobody"}, DestinationUnknown),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_moves(
    changes: dict[str, object], refusal: type[Refusal]
) -> None:
    made = world(MIDDLE)

    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        made.submit(**changes)

    assert made.submit(**PART, amount=yuan("10,000")).is_new


def test_an_open_order_blocks_and_is_named() -> None:
    made = world(MIDDLE, open_orders=2)

    with given.nothing_moves(*TABLES), pytest.raises(NotEligible) as refused:
        made.submit()

    assert "trade.order_open" in refused.value.details["codes"]
    preview = queries.preview_refund(
        account_id=made.shop.account_id, choice=AmountChoice.WHOLE, amount=None,
        destination_id="", now=NOW,
    )  # fmt: skip
    blocker = next(f for f in preview.assessment.blockers if f.code == "trade.order_open")
    assert {item.id for item in blocker.evidence} == {"O-open-1", "O-open-2"}


def test_the_excess_can_be_withdrawn_while_orders_are_open() -> None:
    made = world(MIDDLE, required="¥500", open_orders=1)

    made.submit(choice=AmountChoice.EXCESS)

    assert made.view.amount == yuan("9,500")
    assert made.view.kind == "excess"


def test_a_part_within_the_excess_needs_no_closing_and_a_larger_one_does() -> None:
    made = world(MIDDLE, required="¥500", open_orders=1)

    with given.nothing_moves(*TABLES), pytest.raises(NotEligible):
        made.submit(**PART, amount=yuan("9,500.01"))
    made.submit(**PART, amount=yuan("9,500"))

    assert made.view.kind == "excess"


def test_an_empty_deposit_has_nothing_to_ask_for() -> None:
    made = world(MIDDLE)
    made.deduct(MIDDLE)

    with given.nothing_moves(*TABLES), pytest.raises(NothingRefundable):
        made.submit()


def test_what_is_owed_from_a_deduction_is_a_debt_that_blocks() -> None:
    made = world(MIDDLE)
    made.deduct("¥10,100")
    assert made.deposit.owed == yuan("100")

    assessment = queries.assess_deposit(
        account_id=made.shop.account_id, kind=RefundKind.FULL_EXIT, now=NOW
    )

    assert "trade.debt_open" in [finding.code for finding in assessment.blockers]
    assert assessment.owed_minor == 10_000


def test_a_double_click_finds_the_first_application() -> None:
    made = world(MIDDLE)
    first = made.submit(request_key="the form")

    with given.nothing_moves(*TABLES):
        again = made.submit(request_key="the form")

    assert again.application_id == first.application_id
    assert not again.is_new


def test_a_form_sent_again_with_other_entries_finds_the_first_and_says_so() -> None:
    made = world(MIDDLE)
    first = made.submit(request_key="the form")

    for other in ({"note": "Other."}, {**PART, "amount": yuan("1")}, {"reason": Reason.OTHER}):
        with given.nothing_moves(*TABLES), pytest.raises(RequestKeyReused) as refused:
            made.submit(request_key="the form", **other)
        assert refused.value.details["application"] == first.application_id


def test_the_form_of_an_ended_application_still_finds_it() -> None:
    made = world(MIDDLE)
    first = made.submit(request_key="the form")
    made.withdraw()

    assert made.submit(request_key="the form").application_id == first.application_id
    assert made.state is State.WITHDRAWN
    assert made.submit().is_new


def test_a_second_application_is_refused_and_names_the_first() -> None:
    made = world(MIDDLE)
    first = made.submit(choice=AmountChoice.PART, amount=yuan("1"))

    with given.nothing_moves(*TABLES), pytest.raises(ApplicationAlreadyOpen) as refused:
        made.submit(choice=AmountChoice.PART, amount=yuan("1"))

    assert refused.value.details["application"] == first.application_id


def test_a_closed_original_route_needs_a_destination_of_the_same_shop() -> None:
    made = world(MIDDLE, route_open=False)
    foreign = given.destination(given.shop())

    with given.nothing_moves(*TABLES), pytest.raises(DestinationRequired):
        made.submit()
    with given.nothing_moves(*TABLES), pytest.raises(DestinationOfAnotherShop):
        made.submit(destination_id=foreign.destination_id)
    own = given.destination(made.shop)
    made.submit(destination_id=own.destination_id)

    assert made.view.destination == destination(own.destination_id)
    assert made.view.plan.needs_destination


def test_a_destination_that_is_not_needed_is_not_kept() -> None:
    made = world(SMALL)
    own = given.destination(made.shop)

    made.submit(destination_id=own.destination_id)

    assert made.view.destination is None
    made.deliver()
    assert made.state is State.PAYING


def test_a_part_of_a_mixed_deposit_goes_back_first_and_then_to_the_destination() -> None:
    made = world("¥100")
    given.pay_in(
        made.shop.account_id,
        "¥40",
        paid_at=NOW - 2 * given.DAY,
        reference=f"open-{made.shop.shop_id}",
    )

    made.submit(choice=AmountChoice.PART, amount=yuan("120"))

    assert made.view.plan.total == yuan("120")
    assert [leg.amount for leg in made.view.plan.legs] == [yuan("100"), yuan("20")]


def test_a_draft_is_kept_and_becomes_the_application() -> None:
    made = world(MIDDLE)
    typed = {
        "account_id": made.shop.account_id, "shop_key": made.shop.shop_key, "actor": made.seller,
        "now": NOW, "choice": AmountChoice.PART, "amount": yuan("7"), "reason": Reason.OTHER,
        "note": "half a sentence", "destination_id": "",
    }  # fmt: skip
    draft_id = operations.save_draft(**typed)
    assert operations.save_draft(**{**typed, "note": "a sentence"}) == draft_id
    draft = queries.draft_of(account_id=made.shop.account_id)
    assert draft is not None
    assert (draft.amount, draft.note) == (yuan("7"), "a sentence")
    assert made.deposit.frozen == yuan("0")

    submitted = made.submit(**PART, amount=yuan("7"))

    assert submitted.application_id == draft_id
    assert queries.draft_of(account_id=made.shop.account_id) is None
    assert made.codes == ["submitted"]


def test_a_draft_that_is_left_behind_ends_without_a_word() -> None:
    made = world(MIDDLE)
    operations.save_draft(
        account_id=made.shop.account_id, shop_key=made.shop.shop_key, actor=made.seller, now=NOW,
        choice=AmountChoice.WHOLE, amount=None, reason=Reason.OTHER, note="", destination_id="",
    )  # fmt: skip

    assert operations.sweep_due(now=NOW + 400 * given.DAY) == 1
    made.deliver()

    assert queries.draft_of(account_id=made.shop.account_id) is None
    told = [notice.code.value for notice in notices_of(shop_key=made.shop.shop_key)]
    assert not [code for code in told if code.startswith("application.")]


def test_a_foreign_shop_sees_no_application_and_can_do_nothing_to_it() -> None:
    made = application(State.IN_REVIEW)
    other = given.shop()

    with pytest.raises(ApplicationUnknown):
        queries.application(application_id=made.application_id, shop_key=other.shop_key, now=NOW)
    with given.nothing_moves(*TABLES), pytest.raises(ApplicationUnknown):
        made.withdraw(shop_key=other.shop_key)


def test_the_preview_tells_everything_before_anybody_applies() -> None:
    made = world(SMALL)

    with given.nothing_moves(*TABLES):
        preview = queries.preview_refund(
            account_id=made.shop.account_id, choice=AmountChoice.WHOLE, amount=None,
            destination_id="", now=NOW,
        )  # fmt: skip

    assert preview.assessment.is_eligible
    assert (preview.amount, preview.amount_max) == (yuan(SMALL), yuan(SMALL))
    assert preview.plan is not None
    assert preview.plan.total == yuan(SMALL)
    assert preview.by_rule
    assert not preview.requires_second_approval
    assert preview.eta.review_by <= preview.eta.arrives_by
    assert preview.open_application_id is None


def test_a_preview_without_the_destination_it_needs_says_so() -> None:
    made = world(SMALL, route_open=False)

    preview = queries.preview_refund(
        account_id=made.shop.account_id, choice=AmountChoice.WHOLE, amount=None,
        destination_id="", now=NOW,
    )  # fmt: skip

    assert preview.plan is None
    assert preview.needs_destination
    assert not preview.by_rule


def test_the_sum_on_the_card_explains_itself_in_every_state() -> None:
    for state in (State.SUBMITTED, State.PAYING, State.PAID, State.RETURNED, State.REJECTED):
        found = deposit(application(state).shop.account_id)
        left = found.paid_in - found.deducted - found.refunded - found.in_transit - found.frozen
        assert left == found.available


def test_what_is_sent_is_the_amount_that_the_seller_saw() -> None:
    made = world(MIDDLE)
    made.deduct("¥1")

    with given.nothing_moves(*TABLES), pytest.raises(AmountChangedSinceShown):
        made.submit(amount_seen=yuan(MIDDLE))

    made.submit(amount_seen=yuan("9,999"))
    assert made.view.amount == yuan("9,999")
