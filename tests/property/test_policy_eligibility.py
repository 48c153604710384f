"""What must hold for every shop and every pack, and a second, simpler judge of the same rules."""

from __future__ import annotations

import datetime as dt
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kuaitui.policy import assess, facts_to_json, load_pack, parse_facts
from kuaitui.policy.calendar import is_working_day
from kuaitui.policy.terms import Terms
from kuaitui.policy.types import CODES, RefundKind
from tests.support.policy_documents import (
    AS_OF,
    SHANGHAI,
    after_sale,
    ago,
    debt,
    dispute,
    documents,
    order,
    packs,
    restriction,
    violation,
)

KINDS = st.sampled_from(list(RefundKind))
many = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# -- the second judge: documents as they are, days tried one by one ---------------------------------


def moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def is_running(begin: str, end: str | None, now: dt.datetime) -> bool:
    return moment(begin) <= now and not (end is not None and moment(end) <= now)


def days_have_passed(start: dt.datetime, count: int, unit: str, now: dt.datetime) -> bool:
    on, today = start.astimezone(SHANGHAI).date(), now.astimezone(SHANGHAI).date()
    if unit == "natural_days":
        return (today - on).days >= count
    worked = sum(is_working_day(on + dt.timedelta(days=i + 1)) for i in range((today - on).days))
    return today >= on and worked >= count


def hold_is_running(terms: Terms, doc: dict, now: dt.datetime) -> bool:
    shop = doc["shop"]
    expelled_at = moment(shop["expelled_at"])
    is_expelled = shop["standing"] == "expelled" if expelled_at is None else expelled_at <= now
    for hold in terms.holds:
        match hold.anchor.value:
            case "last_completed_order":
                ends = [moment(o["status_at"]) for o in doc["orders"] if o["status"] == "completed"]
            case "last_dispute_closed":
                ends = [
                    moment(d["closed_at"]) for d in doc["disputes"]
                    if d["closed_at"] and moment(d["opened_at"]) <= now
                ]  # fmt: skip
            case "shop_closed":
                ends = [moment(shop["closed_at"])] if shop["closed_at"] else []
                if not any(end <= now for end in ends):
                    return True
            case "expulsion":
                ends = [expelled_at] if expelled_at else []
                if is_expelled and not ends:
                    return True
        if hold.only_if_expelled and not is_expelled:
            continue
        happened = [end for end in ends if end <= now]
        if happened and not days_have_passed(
            max(happened), hold.period.count, hold.period.unit.value, now
        ):
            return True
    return False


def notice_is_running(terms: Terms, doc: dict, now: dt.datetime) -> bool:
    up_at = moment(doc["shop"]["closing_notice_at"])
    period = terms.closing_notice.period
    if up_at is None or up_at > now:
        return terms.closing_notice.is_required
    return not days_have_passed(up_at, period.count, period.unit.value, now)


def refundable(doc: dict, kind: str, now: dt.datetime) -> int:
    deposit = doc["deposit"]
    held = sum(lot["amount_minor"] for lot in deposit["lots"] if moment(lot["paid_at"]) <= now)
    owed = sum(item["amount_minor"] for item in doc["debts"] if item["status"] == "open")
    amount = held - deposit["frozen_minor"] - owed
    if kind == "excess":
        amount = min(amount, held - deposit["required_minor"])
    return max(amount, 0)


def failing_codes(terms: Terms, doc: dict, kind: str, now: dt.datetime) -> set[str]:
    def any_running(name: str, begin: str, end: str) -> bool:
        return any(is_running(item[begin], item[end], now) for item in doc[name])

    shop = doc["shop"]
    fails = {
        "account.violation_open": any_running("violations", "occurred_at", "settled_at"),
        "account.restricted": shop["standing"] == "restricted"
        or any_running("restrictions", "from", "to"),
        "account.banned": shop["standing"] == "banned",
        "trade.order_open": any(
            (o["status"] not in ("completed", "closed")) or moment(o["status_at"]) > now
            for o in doc["orders"]
            if not (o["status"] == "placed" and moment(o["status_at"]) > now)
        ),
        "trade.after_sale_open": any_running("after_sales", "opened_at", "closed_at"),
        "trade.dispute_open": any_running("disputes", "opened_at", "closed_at"),
        "trade.listings_on_sale": doc["listings_on_sale"] > 0,
        "trade.debt_open": any(
            item["status"] == "open" and item["amount_minor"] for item in doc["debts"]
        ),
        "trade.balance_not_withdrawn": doc["withdrawable_balance_minor"] > 0,
        "hold.period_running": hold_is_running(terms, doc, now),
        "hold.closing_notice_running": notice_is_running(terms, doc, now),
        "deposit.nothing_refundable": refundable(doc, kind, now) == 0,
        "deposit.frozen": doc["deposit"]["frozen_minor"] > 0,
    }
    applies = {item.code for item in terms.conditions if kind in item.refund_kinds}
    return {code for code, is_failing in fails.items() if is_failing and code in applies}


# -- properties ------------------------------------------------------------------------------------


@many
@given(packs(), documents(), KINDS)
def test_the_assessment_agrees_with_a_second_judge(terms, document, kind):
    assessment = assess(terms, parse_facts(document), kind=kind)

    failed = {finding.code for finding in assessment.blockers}
    assert failed == failing_codes(terms, document, kind.value, AS_OF)
    assert assessment.is_eligible is (not failed)
    assert assessment.refundable_minor == refundable(document, kind.value, AS_OF)


def end_of(on: dt.date) -> dt.datetime:
    return dt.datetime.combine(on, dt.time.max, SHANGHAI)


@many
@given(packs(), documents(nothing_new=True), KINDS)
def test_the_earliest_date_is_the_first_on_which_everything_passes(terms, document, kind):
    facts = parse_facts(document)
    today = AS_OF.date()

    earliest_on = assess(terms, facts, kind=kind).earliest_on

    def is_eligible_on(on: dt.date) -> bool:
        return not failing_codes(terms, document, kind.value, end_of(on))

    if not failing_codes(terms, document, kind.value, AS_OF):
        assert earliest_on == today
        return
    if earliest_on is None:
        assert not any(is_eligible_on(today + dt.timedelta(days=i)) for i in range(0, 600, 7))
        return
    assert is_eligible_on(earliest_on)
    assert assess(terms, facts, kind=kind, as_of=end_of(earliest_on)).is_eligible
    days_before = [today + dt.timedelta(days=i) for i in range((earliest_on - today).days)]
    assert not any(is_eligible_on(on) for on in days_before)


@some
@given(packs(), documents(nothing_new=True), KINDS)
def test_a_finding_that_clears_by_itself_has_cleared_on_its_date_and_not_before(
    terms, document, kind
):
    facts = parse_facts(document)

    findings = assess(terms, facts, kind=kind).blockers

    for finding in findings:
        if finding.clears_on is None:
            continue
        later = assess(terms, facts, kind=kind, as_of=end_of(finding.clears_on))
        assert finding.code not in {item.code for item in later.blockers}
        eve = finding.clears_on - dt.timedelta(days=1)
        if eve >= AS_OF.date():
            before = assess(terms, facts, kind=kind, as_of=end_of(eve))
            assert finding.code in {item.code for item in before.blockers}


@many
@given(
    packs(), documents(), KINDS,
    st.sampled_from([
        ("orders", order("new", "shipped", ago(3))),
        ("orders", order("new", "placed", ago(0))),
        ("after_sales", after_sale("new", ago(2))),
        ("disputes", dispute("new", ago(2))),
        ("violations", violation("new", ago(40))),
        ("restrictions", restriction("new", "live", ago(1))),
        ("debts", debt("new", 100)),
    ]),
)  # fmt: skip
def test_an_open_thing_more_never_makes_anyone_more_eligible(terms, document, kind, addition):
    name, item = addition
    before = assess(terms, parse_facts(document), kind=kind)

    after = assess(terms, parse_facts({**document, name: [*document[name], item]}), kind=kind)

    assert {f.code for f in before.blockers} <= {f.code for f in after.blockers}
    assert after.refundable_minor <= before.refundable_minor
    assert before.earliest_on is None or after.earliest_on is None or (
        after.earliest_on >= before.earliest_on
    )  # fmt: skip
    assert after.earliest_on is None or before.earliest_on is not None


@many
@given(packs(), documents(), KINDS)
def test_what_can_be_refunded_lies_between_nothing_and_what_is_held(terms, document, kind):
    facts = parse_facts(document)

    assessment = assess(terms, facts, kind=kind)

    assert 0 <= assessment.refundable_minor <= assessment.held_minor
    if kind is RefundKind.EXCESS and assessment.refundable_minor:
        left = assessment.held_minor - assessment.refundable_minor
        assert left >= facts.deposit.required_minor


@some
@given(packs(), documents(), KINDS)
def test_what_has_not_happened_yet_changes_nothing(terms, document, kind):
    facts = parse_facts(document)
    tomorrow = ago(-1)
    additions = {
        "orders": order("new", "placed", tomorrow),
        "after_sales": after_sale("new", tomorrow),
        "disputes": dispute("new", tomorrow),
        "violations": violation("new", tomorrow),
        "restrictions": restriction("new", "sales", tomorrow),
    }
    later = {name: [*document[name], item] for name, item in additions.items()}

    assert assess(terms, parse_facts({**document, **later}), kind=kind) == assess(
        terms, facts, kind=kind
    )


@many
@given(documents())
def test_facts_survive_being_written_and_read(document):
    facts = parse_facts(document)

    assert parse_facts(json.loads(json.dumps(facts_to_json(facts)))) == facts


@some
@given(packs(), documents(), KINDS)
def test_every_finding_says_what_it_means_in_both_languages(terms, document, kind):
    assessment = assess(terms, parse_facts(document), kind=kind)

    assert [f.code for f in assessment.findings] == [
        code for code in CODES if code in {f.code for f in assessment.findings}
    ]
    for finding in assessment.findings:
        written = finding.to_json()
        assert set(written) == {
            "code", "passed", "clears_on", "evidence", "act", "message", "clause", "confidence",
        }  # fmt: skip
        for text in (finding.message, finding.act, finding.title, finding.clause.text):
            assert text.zh
            assert text.en
            assert "{" not in text.zh + text.en
        assert bool(finding.evidence) is not finding.passed
        if finding.confidence != "A":
            assert "未经平台核实" in finding.message.zh
            assert "not been verified" in finding.message.en


@some
@given(documents())
def test_the_order_of_facts_does_not_matter(document):
    lists = ("orders", "disputes", "violations", "after_sales")
    turned = {**document, **{name: document[name][::-1] for name in lists}}
    terms = load_pack("kuaishou-shop")
    first, second = (
        assess(terms, parse_facts(item), kind=RefundKind.FULL_EXIT) for item in (document, turned)
    )

    assert first.earliest_on == second.earliest_on
    assert [(f.code, f.passed, f.clears_on) for f in first.findings] == [
        (f.code, f.passed, f.clears_on) for f in second.findings
    ]
