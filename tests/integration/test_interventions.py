"""What people decide about a leg that its channel holds for a person: two of them, told once, asked after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.db import transaction

from kuaitui.audit.queries import events_of
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    Outcome,
    PayoutInstruction,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.crashpoints import watched
from kuaitui.kit.encryption import SealBroken
from kuaitui.kit.outbox import deliver_due
from kuaitui.notifications.queries import notices_of
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    HandOverAccountUnfit,
    HandOverNeedsAnother,
    InterventionMissing,
    InterventionOpen,
    InterventionUnderWay,
    LegNotCancellable,
    LegNotStuck,
    LegUnknown,
    ReasonMissing,
)
from kuaitui.payouts.models import LegIntervention
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, InterventionEnd
from tests.integration.test_payouts_races import at_once
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import PACE, World, attempt, claim, payout, record, to_confirm
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt", "payouts_intervention")
STUCK = NeedsAction(NeededAction.ABNORMAL_REFUND, "REFUND0001")
OTHER_CARD = "1100 2233 4455 6677 88"
LATER = NOW + given.DAY / 24
COOLED = NOW + 4 * given.DAY


@pytest.fixture(autouse=True)
def channel(settings: object) -> Iterator[None]:
    with pg.confirming_channel(settings):
        yield


@dataclass
class Case:
    """A payout that its channel holds, and the people around it."""

    world: World
    destination_id: str
    proposer: Actor = field(default_factory=given.reviewer)
    confirmer: Actor = field(default_factory=given.approver)

    def propose(self, **changes: object) -> None:
        operations.propose_hand_over(
            **{
                "leg_id": self.world.leg_id,
                "destination_id": self.destination_id,
                "reason": "The card it came from is closed.",
                "actor": self.proposer,
                "now": NOW,
                **changes,
            }
        )

    def confirm(self, **changes: object) -> None:
        operations.confirm_hand_over(
            **{
                "leg_id": self.world.leg_id,
                "destination_id": self.destination_id,
                "actor": self.confirmer,
                "now": NOW,
                **changes,
            }
        )

    def call_back(self, **changes: object) -> None:
        operations.call_back(
            **{
                "leg_id": self.world.leg_id,
                "reason": "The seller lost the phone.",
                "actor": self.proposer,
                "now": NOW,
                **changes,
            }
        )

    def withdraw(self) -> None:
        operations.withdraw_intervention(leg_id=self.world.leg_id, actor=self.proposer, now=LATER)

    @property
    def row(self) -> LegIntervention:
        row = LegIntervention.objects.filter(leg__public_id=self.world.leg_id).last()
        assert row is not None
        return row

    @property
    def last_kind(self) -> AttemptKind:
        return self.world.kinds()[-1]


def stuck() -> Case:
    world = payout()
    attempt(world, STUCK)
    return Case(world, given.destination(world.shop).destination_id)


def decided() -> Case:
    case = stuck()
    case.propose()
    case.confirm()
    return case


def unconfirmed(application_id: str = pg.APPLICATION) -> Case:
    world = payout(application_id=application_id)
    attempt(world, to_confirm())
    return Case(world, "")


def refused(refusal: type[Refusal], act: Callable[[], None]) -> None:
    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        act()


def answer(case: Case, outcome: Outcome, *, hours: int = 0) -> LegState | None:
    return attempt(case.world, outcome, now=NOW + hours * given.DAY / 24)


# Handing over


def test_two_people_let_a_stuck_refund_go_to_a_bank_account() -> None:
    case = decided()
    before = case.world.held()

    taken = claim(case.world)
    assert (taken.kind, taken.reference) == (AttemptKind.HAND_OVER, "REFUND0001")
    assert taken.payee is not None
    assert taken.payee.account_number == given.CARD.replace(" ", "")
    assert record(taken, Accepted("REFUND0001")) is LegState.ACCEPTED

    assert case.world.held() == before
    assert case.row.ended_as == InterventionEnd.WENT_ON
    assert answer(case, pg.succeeded(), hours=1) is LegState.PAID
    assert case.world.held() == {}
    assert case.world.kinds() == [AttemptKind.SEND, AttemptKind.HAND_OVER, AttemptKind.QUERY]


def told_of(case: Case) -> list[tuple[str, str]]:
    while deliver_due(now=LATER):
        pass
    notices = notices_of(shop_key=case.world.shop.shop_key)
    return [(one.code, str(one.amount)) for one in notices if one.code == "payout.handed_over"]


@pytest.mark.parametrize("is_lost", [False, True])
def test_the_shop_hears_once_that_its_money_goes_to_another_account(is_lost: bool) -> None:
    case = decided()
    assert told_of(case) == []

    answer(case, Unknown("timeout") if is_lost else Accepted("REFUND0001"))
    assert told_of(case) == ([] if is_lost else [("payout.handed_over", "CNY 10,000.00")])
    answer(case, Accepted("REFUND0001"), hours=1)
    answer(case, pg.succeeded(), hours=2)

    assert told_of(case) == [("payout.handed_over", "CNY 10,000.00")]


def test_the_shop_hears_of_no_account_that_was_not_told_to_the_channel() -> None:
    case = stuck()
    case.propose()

    answer(case, pg.succeeded(), hours=1)

    assert told_of(case) == []


def test_nothing_is_told_to_the_channel_before_a_second_person_confirms() -> None:
    case = stuck()
    case.propose()

    answer(case, STUCK, hours=1)

    assert case.last_kind is AttemptKind.QUERY


def test_an_unknown_answer_is_asked_about_before_the_account_is_told_again() -> None:
    case = decided()

    answer(case, Unknown("timeout"))
    for hours, outcome in enumerate(
        [Unknown("timeout"), NotSent("refused"), STUCK, STUCK], start=1
    ):
        answer(case, outcome, hours=hours)

    told = [AttemptKind.SEND, AttemptKind.HAND_OVER]
    assert case.world.kinds() == [*told, *[AttemptKind.QUERY] * 3, AttemptKind.HAND_OVER]


def test_a_lost_answer_of_a_hand_over_that_worked_is_found_by_asking() -> None:
    case = decided()

    answer(case, Unknown("timeout"))
    assert answer(case, pg.succeeded(), hours=1) is LegState.PAID

    assert case.world.held() == {}
    assert case.world.kinds().count(AttemptKind.HAND_OVER) == 1


@pytest.mark.parametrize("outcome", [NotSent("refused"), RejectedConfig("NO_AUTH")])
def test_what_the_channel_did_not_take_is_told_again(outcome: Outcome) -> None:
    case = decided()

    answer(case, outcome)
    answer(case, Accepted("REFUND0001"), hours=1)

    assert case.world.kinds()[1:] == [AttemptKind.HAND_OVER] * 2
    assert case.world.state is LegState.ACCEPTED


def test_an_account_that_the_channel_does_not_take_waits_for_another() -> None:
    case = decided()
    answer(case, NeedsAction(NeededAction.MISSING_BANK_DETAILS, "REFUND0001"))
    assert case.row.ended_as == InterventionEnd.STUCK

    other = given.destination(case.world.shop, number=OTHER_CARD).destination_id
    case.destination_id = other
    refused(HandOverAccountUnfit, lambda: case.propose(now=LATER))  # its owner may still object
    case.propose(now=COOLED)
    case.confirm(now=COOLED)

    taken = claim(case.world, now=COOLED)
    assert taken.kind is AttemptKind.HAND_OVER
    assert taken.payee is not None
    assert taken.payee.account_number == OTHER_CARD.replace(" ", "")


def test_the_kill_switch_stops_a_hand_over_and_not_the_asking() -> None:
    case = decided()
    pg.stop()

    answer(case, STUCK)
    assert case.last_kind is AttemptKind.QUERY

    pg.resume()
    answer(case, Accepted("REFUND0001"), hours=1)
    assert case.last_kind is AttemptKind.HAND_OVER


def test_after_a_restore_the_channel_is_asked_before_it_is_told() -> None:
    case = decided()
    operations.hold_sending(reason="a drill", actor=case.proposer, now=NOW)

    answer(case, STUCK)

    assert case.last_kind is AttemptKind.QUERY


def test_money_that_went_on_by_itself_ends_what_was_proposed() -> None:
    case = stuck()
    case.propose()

    answer(case, pg.succeeded(), hours=1)

    assert case.row.ended_as == InterventionEnd.WENT_ON
    refused(InterventionMissing, case.confirm)


def test_another_account_in_its_place_is_not_paid(raw_sql: RawSql) -> None:
    case = decided()
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql("UPDATE payouts_intervention SET destination_id = 'dst_of_a_thief'")
    raw_sql("SET LOCAL session_replication_role = origin")

    with given.nothing_moves(*TABLES), pytest.raises(SealBroken):
        claim(case.world)


def test_who_decided_stands_in_the_trail() -> None:
    case = decided()

    trail = [(event.action, event.actor_id) for event in events_of(case.world.leg_id)]

    assert ("payout.hand_over_proposed", case.proposer.id) in trail
    assert ("payout.hand_over_confirmed", case.confirmer.id) in trail


# Refusals


def test_the_proposer_does_not_confirm() -> None:
    case = stuck()
    case.propose()

    refused(HandOverNeedsAnother, lambda: case.confirm(actor=case.proposer))


def test_whoever_entered_the_account_neither_proposes_nor_confirms() -> None:
    case = stuck()
    refused(HandOverNeedsAnother, lambda: case.propose(actor=case.world.shop.seller))
    case.propose()

    refused(HandOverNeedsAnother, lambda: case.confirm(actor=case.world.shop.seller))


def test_what_is_confirmed_is_what_was_shown() -> None:
    case = stuck()
    case.propose()

    refused(InterventionMissing, lambda: case.confirm(destination_id="dst_another"))


def test_the_account_is_checked_and_the_shops_own() -> None:
    case = stuck()
    others = given.destination(given.shop("¥10,000")).destination_id
    refused(HandOverAccountUnfit, lambda: case.propose(destination_id=others))

    unchecked = given.destination(case.world.shop, number=OTHER_CARD, is_verified=False)
    with given.nothing_moves(*TABLES), pytest.raises(Refusal, match="checked"):
        case.propose(destination_id=unchecked.destination_id)


def test_a_wish_needs_a_reason_and_a_leg() -> None:
    case = stuck()
    refused(ReasonMissing, lambda: case.propose(reason=" "))
    refused(LegUnknown, lambda: case.propose(leg_id="leg_none"))


@pytest.mark.parametrize("outcome", [Accepted("R"), Unknown("timeout"), to_confirm()])
def test_only_a_stuck_refund_is_handed_over(outcome: Outcome) -> None:
    world = payout()
    attempt(world, outcome)
    case = Case(world, given.destination(world.shop).destination_id)

    refused(LegNotStuck, case.propose)


def test_a_channel_that_hands_nothing_over_is_not_told(settings: object) -> None:
    case = stuck()

    with pg.confirming_channel(settings, pg.CAPABILITIES):
        refused(LegNotStuck, case.propose)


def test_one_thing_is_decided_at_a_time() -> None:
    case = stuck()
    case.propose()

    refused(InterventionOpen, case.propose)


def test_a_decision_is_taken_back_and_another_made() -> None:
    case = decided()

    case.withdraw()

    assert case.row.ended_as == InterventionEnd.WITHDRAWN
    answer(case, STUCK, hours=1)
    assert case.last_kind is AttemptKind.QUERY
    case.propose()


def test_nothing_is_taken_back_while_the_channel_is_told() -> None:
    case = decided()
    claim(case.world)

    refused(InterventionUnderWay, case.withdraw)


# Calling back


def test_what_was_called_back_is_repaired_in_place() -> None:
    case = unconfirmed()
    case.call_back()

    assert answer(case, FailedDefinite("CANCELLED")) is LegState.FAILED

    assert case.last_kind is AttemptKind.CANCEL
    assert case.row.ended_as == InterventionEnd.WENT_ON
    account = given.destination(case.world.shop).destination_id
    with transaction.atomic():
        operations.repair_leg(
            leg_id=case.world.leg_id, destination_id=account, approval_hash="two people", now=NOW
        )
    assert case.world.state is LegState.READY


def test_a_payee_who_was_faster_is_paid() -> None:
    case = unconfirmed()
    case.call_back()

    assert answer(case, pg.succeeded()) is LegState.PAID
    assert case.world.held() == {}


def test_only_the_channels_word_ends_what_is_called_back() -> None:
    case = unconfirmed()
    case.call_back()

    answer(case, Unknown("timeout"))
    answer(case, to_confirm(""), hours=1)
    answer(case, to_confirm(""), hours=2)
    answer(case, Accepted("CANCELING"), hours=3)
    assert case.world.state is LegState.ACCEPTED
    assert case.world.held() == {pg.Account.AT_CHANNEL: "10,000", pg.Account.IN_TRANSIT: "10,000"}
    answer(case, FailedDefinite("CANCELLED"), hours=4)

    called, asked = AttemptKind.CANCEL, AttemptKind.QUERY
    assert case.world.kinds()[1:] == [called, asked, called, called, asked]
    assert case.world.state is LegState.FAILED


def test_only_what_waits_for_a_confirmation_is_called_back(settings: object) -> None:
    refused(LegNotCancellable, stuck().call_back)
    case = unconfirmed("rfa_unconfirmed")
    with pg.confirming_channel(settings, pg.CAPABILITIES):
        refused(LegNotCancellable, case.call_back)
    case.call_back()
    refused(InterventionOpen, case.call_back)


# The database


@pytest.mark.parametrize(
    ("change", "breaks"),
    [
        (
            "confirmed_by = proposed_by, confirmed_at = now()",
            "what_moves_money_is_confirmed_by_a_second_person",
        ),
        ("confirmed_by = 'usr_x'", "what_moves_money_is_confirmed_by_a_second_person"),
        (
            "confirmed_by = destination_added_by, confirmed_at = now()",
            "whoever_entered_the_account_does_not_hand_over",
        ),
        ("destination_id = 'dst_another'", "an_intervention_stays_as_decided"),
        ("payee_sealed = 'x'", "an_intervention_stays_as_decided"),
        ("reason = 'another'", "an_intervention_stays_as_decided"),
        ("ended_at = now()", "an_intervention_ends_with_a_word"),
        ("ended_at = now(), ended_as = 'nonsense'", "an_intervention_ends_with_a_word"),
    ],
)
def test_the_database_keeps_a_proposal(raw_sql: RawSql, change: str, breaks: str) -> None:
    stuck().propose()

    refuse(raw_sql, TABLES, f"UPDATE payouts_intervention SET {change}", breaks=breaks)


def test_the_database_keeps_what_was_confirmed_and_what_is_over(raw_sql: RawSql) -> None:
    case = decided()
    change = "UPDATE payouts_intervention SET confirmed_by = 'usr_x'"
    refuse(raw_sql, TABLES, change, breaks="an_intervention_stays_as_decided")

    case.withdraw()
    reopen = "UPDATE payouts_intervention SET ended_at = NULL, ended_as = ''"
    refuse(raw_sql, TABLES, reopen, breaks="an_ended_intervention_stays")
    refuse(raw_sql, TABLES, "DELETE FROM payouts_intervention", breaks="payouts_intervention keeps")


INSERT = """
    INSERT INTO payouts_intervention (leg_id, kind, reason, destination_id, destination_added_by,
        payee_sealed, payee_key_id, proposed_by, proposed_at, confirmed_by, confirmed_at, ended_as)
    SELECT leg.id, %s, %s, account.public_id, account.added_by, 'x', 'k1', %s, now(), %s, %s, ''
    FROM payouts_leg AS leg, deposits_destination AS account
    WHERE leg.public_id = %s AND account.public_id = %s
"""


@pytest.mark.parametrize(
    ("changes", "breaks"),
    [
        ({"confirmed": True}, "an_intervention_begins_open"),
        ({"kind": "cancel"}, "people_decide_about_what_waits_for_a_person"),
        ({"kind": "bribe"}, "intervention_kind_is_known|a_hand_over_says_where_to"),
        ({"reason": ""}, "an_intervention_says_why"),
        ({"by": "seller"}, "whoever_entered_the_account_does_not_hand_over"),
        ({"account": "unchecked"}, "a_hand_over_goes_to_a_checked_account_of_the_shop"),
        ({"account": "foreign"}, "a_hand_over_goes_to_a_checked_account_of_the_shop"),
    ],
)
def test_the_database_refuses_a_decision_that_breaks_the_rules(
    raw_sql: RawSql, changes: dict[str, object], breaks: str
) -> None:
    case = stuck()
    shop = case.world.shop
    accounts = {
        "unchecked": lambda: given.destination(shop, number=OTHER_CARD, is_verified=False),
        "foreign": lambda: given.destination(given.shop("¥10,000")),
    }
    account = str(changes.get("account", ""))
    chosen = accounts[account]().destination_id if account else case.destination_id
    is_confirmed = bool(changes.get("confirmed"))
    row = (
        changes.get("kind", "hand_over"),
        changes.get("reason", "why"),
        shop.seller.id if changes.get("by") else "usr_x",
        "usr_y" if is_confirmed else "",
        NOW if is_confirmed else None,
        case.world.leg_id,
        chosen,
    )

    refuse(raw_sql, TABLES, INSERT, row, breaks=breaks)


def test_the_database_refuses_a_second_open_decision(raw_sql: RawSql) -> None:
    case = stuck()
    case.propose()
    row = ("hand_over", "why", "usr_x", "", None, case.world.leg_id, case.destination_id)

    refuse(raw_sql, TABLES, INSERT, row, breaks="a_leg_has_one_open_intervention")


def test_the_database_knows_where_a_hand_over_goes(raw_sql: RawSql) -> None:
    case = unconfirmed()
    account = given.destination(case.world.shop).destination_id
    row = ("cancel", "why", "usr_x", "", None, case.world.leg_id, account)

    refuse(raw_sql, TABLES, INSERT, row, breaks="a_hand_over_says_where_to")


TELL = """
    INSERT INTO payouts_attempt (leg_id, attempt_no, kind, fence, started_at, cause)
    SELECT id, %s, %s, fence, now(), '' FROM payouts_leg WHERE public_id = %s
"""


@pytest.mark.parametrize("kind", ["hand_over", "cancel"])
@pytest.mark.parametrize("proposed", [True, False])
def test_the_database_lets_no_channel_be_told_what_nobody_decided(
    raw_sql: RawSql, kind: str, proposed: bool
) -> None:
    case = stuck()
    if proposed:
        case.propose()
    raw_sql("UPDATE payouts_leg SET fence = fence + 1 WHERE public_id = %s", (case.world.leg_id,))

    refuse(
        raw_sql,
        TABLES,
        TELL,
        (2, kind, case.world.leg_id),
        breaks="people_decide_before_a_channel_is_told",
    )


def test_the_database_lets_nothing_be_told_again_unasked(raw_sql: RawSql) -> None:
    case = decided()
    answer(case, Unknown("timeout"))
    raw_sql("UPDATE payouts_leg SET fence = fence + 1 WHERE public_id = %s", (case.world.leg_id,))

    refuse(
        raw_sql,
        TABLES,
        TELL,
        (3, "hand_over", case.world.leg_id),
        breaks="what_was_told_without_outcome_is_asked_about_first",
    )


# At the same moment, and killed


@pytest.mark.django_db(transaction=True)
def test_of_two_proposals_at_once_one_stands() -> None:
    case = stuck()
    other = given.destination(case.world.shop, number=OTHER_CARD).destination_id

    def propose(destination_id: str) -> str:
        try:
            case.propose(destination_id=destination_id, actor=given.reviewer(), now=COOLED)
        except InterventionOpen:
            return "refused"
        return destination_id

    results = at_once([lambda: propose(case.destination_id), lambda: propose(other)])

    assert results.count("refused") == 1
    assert case.row.destination_id in results


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_hands_over() -> None:
    case = decided()
    leg_id = case.world.leg_id

    taken = at_once(
        [lambda: operations.claim_leg(leg_id=leg_id, pace=PACE, now=NOW) for _ in range(6)]
    )

    assert [one.kind for one in taken if one is not None] == [AttemptKind.HAND_OVER]


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["payouts.claim.committed", "payouts.call.answered"])
@pytest.mark.parametrize("took_effect", [True, False])
def test_a_worker_killed_while_it_hands_over_pays_once(point: str, took_effect: bool) -> None:
    case = decided()
    refunds: set[str] = set()

    def say(kind: AttemptKind, instruction: PayoutInstruction) -> Outcome:
        if kind is AttemptKind.HAND_OVER and (took_effect or scripted.calls[:-1]):
            refunds.add(instruction.number)
        return pg.succeeded() if refunds else STUCK

    scripted = pg.ScriptedChannel(say, capabilities=pg.CONFIRMING)
    work = {
        "leg_id": case.world.leg_id,
        "channels": Channels({given.CHANNEL: scripted}),
        "pace": PACE,
    }

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    with watched(die), pytest.raises(Killed):
        operations.carry_out_leg(**work, clock=lambda: NOW)
    for hours in range(1, 5):
        operations.carry_out_leg(**work, clock=lambda hours=hours: NOW + hours * given.DAY / 24)

    assert case.world.state is LegState.PAID
    assert case.world.held() == {}
    assert case.world.kinds()[1:3] == [AttemptKind.HAND_OVER, AttemptKind.QUERY]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_finds_nothing_is_unknown_after_a_hand_over() -> None:
    """And a restore that forgets the hand-over is noticed: it was noted before it left."""
    case = decided()
    scripted = pg.ScriptedChannel(lambda *_: NotFound(), capabilities=pg.CONFIRMING)
    noted: list[queries.LastSend] = []

    operations.carry_out_leg(
        leg_id=case.world.leg_id,
        channels=Channels({given.CHANNEL: scripted}),
        pace=PACE,
        clock=lambda: NOW,
        note_send=noted.append,
    )

    last = queries.attempts(case.world.leg_id)[-1]
    assert [send.started_at for send in noted] == [last.started_at]
    assert (last.kind, last.outcome, last.cause) == (AttemptKind.HAND_OVER, "unknown", "not_found")
    assert case.world.state is LegState.NEEDS_ACTION
