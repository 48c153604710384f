"""Packs: the shipped ones are honest, wrong ones are refused field by field."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import pytest

from kuaitui.kernel.money import Money
from kuaitui.policy import assess, load_pack, parse_facts
from kuaitui.policy.errors import PackInvalid, PackUnknown
from kuaitui.policy.own_conditions import (
    EXPRESSION_LENGTH_MAX,
    FUNCTIONS,
    VARIABLES,
    evaluate,
    expression_problem,
)
from kuaitui.policy.packs import PACK_BYTES_MAX, available_packs, parse_pack
from kuaitui.policy.terms import OPERATOR, DayUnit
from kuaitui.policy.texts import provenance_note
from kuaitui.policy.types import CODES, Confidence, RefundKind
from tests.support.policy_documents import AS_OF, ago, clean_document, pack_text, pack_with

OWN = """
[[own_conditions]]
code = "x.small_deposit"
kinds = ["full_exit"]
passes_when = '{expression}'
title = {{ zh = "小额保证金", en = "A small deposit" }}
passed = {{ zh = "金额在范围内。", en = "The amount is in range." }}
failed = {{ zh = "金额超出范围。", en = "The amount is out of range." }}
act = {{ zh = "请联系客服。", en = "Ask support." }}
clause = {{ reference = "x 1", zh = "仅限小额。", en = "Small ones only." }}
confidence = "C"
verified = false
source = "a page"
seen_on = 2026-11-23
"""


# To a reader that knows no triple quotes the loop stands inside a text.
HIDDEN_LOOP = '""" " """ + string(size([1].map(x, x))) == """ " """ + "1"'


def own(expression: str) -> str:
    return OWN.format(expression=expression)


def problems_of(text: str) -> list[tuple[str, str]]:
    with pytest.raises(PackInvalid) as refused:
        parse_pack(text.encode())
    return [(problem.path, problem.kind) for problem in refused.value.problems]


# -- the shipped packs -----------------------------------------------------------------------------


def values_of(table: object, path: str = "") -> list[tuple[str, dict]]:
    """Every table that carries a confidence, wherever it stands."""
    if isinstance(table, list):
        return [found for i, item in enumerate(table) for found in values_of(item, f"{path}[{i}]")]
    if not isinstance(table, dict):
        return []
    here = [(path, table)] if "confidence" in table else []
    return here + [f for name, item in table.items() for f in values_of(item, f"{path}.{name}")]


@pytest.mark.parametrize("name", ["reference", "kuaishou-shop"])
def test_every_value_of_a_shipped_pack_has_a_source_a_date_and_says_if_it_is_verified(name):
    values = values_of(tomllib.loads(pack_text(name)))

    assert len(values) > 15
    for path, value in values:
        assert {"source", "seen_on", "verified"} <= set(value), path
        assert value["verified"] is (value["confidence"] == "A"), path
        if "value" in value and not path.endswith("_minor"):
            assert value["unit"] in set(DayUnit), path


def test_the_reference_pack_holds_no_platforms_numbers():
    terms = load_pack("reference")

    periods = [hold.period for hold in terms.holds]
    periods += [terms.closing_notice.period, terms.review.review_time, terms.review.arrival_time]
    assert {period.provenance.source for period in periods} == {OPERATOR}
    assert {item.provenance.source for item in terms.conditions} == {OPERATOR}


@pytest.mark.parametrize("name", ["reference", "kuaishou-shop"])
def test_the_time_for_a_repair_is_our_own_choice_and_says_so(name):
    review = load_pack(name).review

    assert review.repair_reminder_time.count < review.repair_time.count
    for period in (review.repair_reminder_time, review.repair_time):
        assert period.provenance.source == OPERATOR
        assert period.provenance.confidence is Confidence.C
        assert "未经平台核实" in provenance_note(period.provenance).zh


def test_nobody_is_reminded_after_the_time_for_a_repair():
    text = pack_text("reference").replace("value = 14,", "value = 91,")

    assert problems_of(text) == [("review.repair_reminder_time", "too_large")]


def test_unverified_values_of_the_kuaishou_pack_say_so_to_whoever_reads_them():
    terms = load_pack("kuaishou-shop@2026-11-01")
    document = clean_document(orders=[{**clean_document()["orders"][0], "status_at": ago(3)}])

    assessment = assess(terms, parse_facts(document), kind=RefundKind.FULL_EXIT)

    hold = next(item for item in assessment.findings if item.code == "hold.period_running")
    assert hold.confidence is Confidence.C
    assert "未经平台核实" in hold.message.zh
    assert "未经平台核实" in provenance_note(terms.review.arrival_time.provenance).zh
    assert "运营方" in provenance_note(terms.review.appeal_window.provenance).zh


@pytest.mark.parametrize("name", available_packs())
def test_a_shop_that_left_in_order_is_eligible_under_every_shipped_pack(name):
    facts = parse_facts(clean_document())

    for kind, refundable_minor in ((RefundKind.FULL_EXIT, 300_000), (RefundKind.EXCESS, 250_000)):
        assessment = assess(load_pack(name), facts, kind=kind)
        assert assessment.is_eligible
        assert assessment.refundable_minor == refundable_minor
        assert assessment.earliest_on == AS_OF.date()


def test_the_kuaishou_pack_knows_every_code_and_no_pack_knows_others():
    kuaishou = load_pack("kuaishou-shop")

    assert tuple(item.code for item in kuaishou.conditions) == CODES


def test_a_finding_is_only_as_certain_as_the_least_certain_value_behind_it():
    terms = pack_with(holds=[("last_completed_order", 30, "natural_days")])  # its days are a B
    facts = parse_facts(clean_document())

    findings = assess(terms, facts, kind=RefundKind.FULL_EXIT).findings

    uncertain = [finding.code for finding in findings if finding.confidence is not Confidence.A]
    assert uncertain == ["hold.period_running"]


def test_trade_goes_on_while_an_excess_is_refunded():
    terms = load_pack("reference")

    codes = {item.code for item in terms.conditions if RefundKind.EXCESS in item.refund_kinds}

    assert not codes & {"trade.order_open", "hold.period_running", "trade.listings_on_sale"}
    assert {"account.banned", "deposit.nothing_refundable"} <= codes


def test_review_tiers_hold_only_in_the_packs_own_currency():
    review = load_pack("reference").review
    limit, tier = review.auto_approval_limit.amount, review.second_approval_from.amount

    assert review.allows_automatic_approval(limit)
    assert not review.allows_automatic_approval(limit + Money(1, "CNY"))
    assert not review.allows_automatic_approval(Money(1, "USD"))
    assert review.requires_second_approval(tier)
    assert not review.requires_second_approval(tier - Money(1, "CNY"))
    assert review.requires_second_approval(Money(1, "USD"))


def test_the_original_route_ends_a_year_after_a_wechat_payment_and_is_unknown_elsewhere():
    terms = load_pack("reference")
    paid_at = dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)  # 2 March in Shanghai

    until = terms.original_route_until(channel="wechatpay", paid_at=paid_at)

    assert until == dt.datetime(2027, 3, 1, 16, 0, tzinfo=dt.UTC)
    assert terms.original_route_until(channel="bank", paid_at=paid_at) is None


# -- which pack ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["nonsense", "reference@1999-01-01", "/nowhere/pack.toml", "", "../reference", "@", "."]
)
def test_a_pack_that_does_not_exist_is_refused(name):
    with pytest.raises(PackUnknown):
        load_pack(name)


def test_a_pack_of_ones_own_is_read_from_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(pack_text().replace('name = "reference"', 'name = "mine"'), "utf-8")

    terms = load_pack(str(file))

    assert (terms.pack, terms.version) == ("mine", "2026-11-01")
    assert terms.digest != load_pack("reference").digest


# -- wrong packs -----------------------------------------------------------------------------------

HOLD = 'anchor = "last_completed_order"'
WRONG = [
    ('name = "reference"', 'name = "Not A Name"', "pack.name", "not_a_choice"),
    ('zone = "Asia/Shanghai"', 'zone = "Mars/Olympus"', "pack.zone", "unknown_zone"),
    ('zone = "Asia/Shanghai"', 'zone = "../../etc/passwd"', "pack.zone", "unknown_zone"),
    ('currency = "CNY"', 'currency = "ABC"', "pack.currency", "unknown_currency"),
    ('code = "trade.order_open"', 'code = "trade.unheard_of"', "conditions[3].code", "not_a_choice"),
    (HOLD, 'anchor = "full_moon"', "holds[0].anchor", "not_a_choice"),
    ("days = { value = 30,", "days = { value = -1,", "conditions[9].days.value", "too_small"),
    ("days = { value = 180,", "days = { value = 99999,", "holds[1].days.value", "too_large"),
    ("days = { value = 180,", "days = { value = true,", "holds[1].days.value", "wrong_type"),
    ("notice_required = false\n", "", "conditions[9].notice_required", "missing"),
    ("[review]", "[revue]", "review", "missing"),
    ('standings = ["banned"]', 'standings = ["bored"]', "conditions[2].standings[0]", "not_a_choice"),
    ("[review]", '[review]\nmood = "good"', "review.mood", "unknown_field"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "path", "kind"), WRONG, ids=[f"{p}-{k}" for *_, p, k in WRONG]
)
def test_a_wrong_value_of_a_pack_is_named_by_its_path(old, new, path, kind):
    text = pack_text()
    assert old in text

    assert (path, kind) in problems_of(text.replace(old, new, 1))


def test_only_official_values_may_be_called_verified():
    text = pack_text().replace('confidence = "A"', 'confidence = "B"', 1)

    assert problems_of(text) == [("conditions[0].verified", "unverified")]


def test_a_hold_counts_only_from_what_the_same_refund_also_checks():
    text = pack_text()
    start = text.index('[[conditions]]\ncode = "trade.order_open"')
    end = text.index("[[conditions]]", start + 5)

    assert problems_of(text[:start] + text[end:]) == [("holds[0].anchor", "needs_condition")]


def test_the_same_condition_twice_is_refused():
    text = pack_text()
    start = text.index('[[conditions]]\ncode = "trade.order_open"')
    end = text.index("[[conditions]]", start + 5)

    assert problems_of(text + text[start:end]) == [("conditions", "duplicate")]


def test_a_hold_condition_without_a_hold_is_refused():
    text = pack_text()
    text = text[: text.index("[[holds]]")] + text[text.index("[review]") :]

    assert problems_of(text) == [("holds", "missing")]


@pytest.mark.parametrize(
    "raw", [b"\xff", b"[pack", b"= 1", b"# " + b"x" * PACK_BYTES_MAX], ids=range(4)
)
def test_a_file_that_is_no_toml_is_refused(raw):
    with pytest.raises(PackInvalid) as refused:
        parse_pack(raw)

    assert [problem.kind for problem in refused.value.problems] == ["unreadable"]


def test_an_empty_pack_lists_what_is_missing():
    assert {path for path, _ in problems_of("")} >= {"pack", "conditions", "review"}


# -- conditions of a pack's own --------------------------------------------------------------------


def assess_with(expression: str, **changes: object):
    facts = parse_facts(clean_document(**changes))
    return assess(pack_with(own=own(expression)), facts, kind=RefundKind.FULL_EXIT)


def test_a_condition_of_the_packs_own_passes_or_blocks_with_its_own_words():
    passing = assess_with("held_minor <= 300000").findings[-1]
    blocking = assess_with("held_minor < 300000")

    assert (passing.code, passing.passed) == ("x.small_deposit", True)
    assert not blocking.is_eligible
    assert blocking.earliest_on is None
    finding = blocking.blockers[0]
    assert finding.message.zh.startswith("金额超出范围。")
    assert "未经平台核实" in finding.message.zh
    assert finding.act.en == "Ask support."


@pytest.mark.parametrize(
    "expression",
    [
        '"food" in categories && shop_kind == "sole_trader"',
        "as_of - last_order_completed_at > duration(\"3600h\")",
        "closed_at != null && closed_at < as_of",
        "open_orders + open_disputes == 0",
    ],
)  # fmt: skip
def test_expressions_see_the_measures(expression):
    assert assess_with(expression).is_eligible


@pytest.mark.parametrize(
    "expression",
    ["1 / open_orders > 0", "as_of - expelled_at > duration(\"1h\")", "held_minor", "standing"],
)  # fmt: skip
def test_an_expression_that_cannot_be_evaluated_blocks_and_says_so(expression):
    assessment = assess_with(expression)

    finding = assessment.findings[-1]
    assert not finding.passed
    assert "无法计算" in finding.message.zh
    assert "could not be evaluated" in finding.message.en


@pytest.mark.parametrize(
    "expression",
    [
        "categories.all(c, c != \"x\")",
        "[1, 2].map(x, x).size() > 0",
        "[1,2,3].exists(x, x > 2)",
        "unheard_of == 1",
        "open_orders ==",
        "standing.matches(\"(a+)+$\")",
        "has(standing.x)",
        HIDDEN_LOOP,
        "(" * 40 + "open_orders == 0" + ")" * 40,
        "true || " * 70 + "true",
    ],
)  # fmt: skip
def test_expressions_that_could_loop_or_name_the_unknown_are_refused_with_the_pack(expression):
    problems = problems_of(pack_text() + own(expression))

    assert problems == [("own_conditions[0].passes_when", "bad_expression")]


def test_the_longest_allowed_expression_is_quick():
    expression = ("open_orders == 0 && " * 40)[: EXPRESSION_LENGTH_MAX - 10].rpartition(" && ")[0]

    assert expression_problem(expression) is None
    assert evaluate(expression, {"open_orders": 0}) == (True, "")


# -- the documentation -----------------------------------------------------------------------------

REFERENCE = Path(__file__).parents[2] / "docs/reference/eligibility.md"


@pytest.mark.parametrize(
    ("shop", "passes"),
    [
        ({"kind": "individual", "opened_at": ago(80)}, False),
        ({"kind": "individual", "opened_at": ago(100)}, True),
        ({"kind": "enterprise", "opened_at": ago(80)}, True),
    ],
)
def test_the_documented_condition_of_ones_own_does_what_it_says(shop, passes):
    text = REFERENCE.read_text("utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    dates = {"closing_notice_at": None, "closed_at": None}
    facts = parse_facts(clean_document(shop={**clean_document()["shop"], **dates, **shop}))

    finding = assess(pack_with(own=example), facts, kind=RefundKind.FULL_EXIT).findings[-1]

    assert (finding.code, finding.passed) == ("x.open_long_enough", passes)


def test_the_reference_page_names_every_code_variable_and_function():
    text = REFERENCE.read_text("utf-8")

    for name in (*CODES, *VARIABLES, *FUNCTIONS):
        assert f"`{name}`" in text, name
