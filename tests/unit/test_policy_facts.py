"""Facts that are wrong are refused with everything that is wrong, and nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from kuaitui.kernel.money import MINOR_MAX
from kuaitui.policy.errors import FactsInvalid
from kuaitui.policy.facts import FACTS_BYTES_MAX, ITEMS_MAX, parse_facts, parse_facts_bytes
from kuaitui.policy.problems import PROBLEMS_MAX
from tests.support.policy_documents import (
    after_sale,
    ago,
    ahead,
    clean_document,
    debt,
    dispute,
    order,
    restriction,
    violation,
)

Change = Callable[[dict], None]


def set_in(*path: str | int, to: object) -> Change:
    def change(document: dict) -> None:
        target = document
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = to

    return change


def drop(*path: str) -> Change:
    def change(document: dict) -> None:
        target = document
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


def problems_of(document: object) -> list[tuple[str, str]]:
    with pytest.raises(FactsInvalid) as refused:
        parse_facts(document)
    return [(problem.path, problem.kind) for problem in refused.value.problems]


WRONG: list[tuple[Change, str, str]] = [
    (drop("as_of"), "as_of", "missing"),
    (drop("shop"), "shop", "missing"),
    (drop("deposit"), "deposit", "missing"),
    (drop("shop", "standing"), "shop.standing", "missing"),
    (drop("listings_on_sale"), "listings_on_sale", "missing"),
    (set_in("colour", to=1), "colour", "unknown_field"),
    (set_in("shop", "owner", to="x"), "shop.owner", "unknown_field"),
    (set_in("orders", 0, "note", to=""), "orders[0].note", "unknown_field"),
    (set_in("as_of", to="2026-11-23T10:00:00"), "as_of", "naive_time"),
    (set_in("as_of", to="2026-11-23"), "as_of", "unreadable_time"),
    (set_in("as_of", to="2026-02-29T10:00:00+08:00"), "as_of", "unreadable_time"),
    (set_in("as_of", to="0026-02-21T10:00:00+08:00"), "as_of", "time_out_of_range"),
    (set_in("as_of", to=20261123), "as_of", "wrong_type"),
    (set_in("shop", "id", to="x" * 129), "shop.id", "too_long"),
    (set_in("shop", "id", to="  "), "shop.id", "empty"),
    (set_in("shop", "id", to="S\x001"), "shop.id", "unprintable"),
    (set_in("shop", "id", to="S\u202e1"), "shop.id", "unprintable"),
    (set_in("shop", "id", to="S\ud800"), "shop.id", "unprintable"),
    (set_in("shop", "kind", to="museum"), "shop.kind", "not_a_choice"),
    (set_in("shop", "categories", to="food"), "shop.categories", "wrong_type"),
    (set_in("shop", "categories", to=["food", 3]), "shop.categories[1]", "wrong_type"),
    (set_in("shop", "closed_at", to=ago(901)), "shop.closed_at", "earlier_than"),
    (set_in("deposit", "currency", to="XYZ"), "deposit.currency", "unknown_currency"),
    (set_in("deposit", "required_minor", to=-1), "deposit.required_minor", "too_small"),
    (set_in("deposit", "required_minor", to=True), "deposit.required_minor", "wrong_type"),
    (set_in("deposit", "required_minor", to=1.5), "deposit.required_minor", "wrong_type"),
    (set_in("deposit", "required_minor", to="1"), "deposit.required_minor", "wrong_type"),
    (set_in("deposit", "frozen_minor", to=MINOR_MAX + 1), "deposit.frozen_minor", "too_large"),
    (set_in("deposit", "lots", 0, "amount_minor", to=None), "deposit.lots[0].amount_minor", "wrong_type"),
    (set_in("deposit", "lots", 0, "refundable_until", to=ago(801)),
     "deposit.lots[0].refundable_until", "earlier_than"),
    (set_in("orders", to={}), "orders", "wrong_type"),
    (set_in("orders", to=None), "orders", "wrong_type"),
    (set_in("orders", 0, to=[]), "orders[0]", "wrong_type"),
    (set_in("orders", 0, "status", to="lost"), "orders[0].status", "not_a_choice"),
    (set_in("orders", to=[order("O1", "paid", ago(2)), order("O1", "paid", ago(1))]),
     "orders[1].id", "duplicate"),
    (set_in("after_sales", to=[after_sale("A1", ago(1), ago(2))]),
     "after_sales[0].closed_at", "earlier_than"),
    (set_in("disputes", to=[{**dispute("D1", ago(2)), "status": "closed"}]),
     "disputes[0].closed_at", "end_missing"),
    (set_in("disputes", to=[{**dispute("D1", ago(2), ago(1)), "status": "open"}]),
     "disputes[0].closed_at", "end_not_reached"),
    (set_in("violations", to=[{**violation("V1", ago(2)), "status": "settled"}]),
     "violations[0].settled_at", "end_missing"),
    (set_in("violations", to=[{**violation("V1", ago(2), ago(1)), "status": "appealing"}]),
     "violations[0].settled_at", "end_not_reached"),
    (set_in("restrictions", to=[restriction("R1", "live", ago(1), ago(2))]),
     "restrictions[0].to", "earlier_than"),
    (set_in("debts", to=[debt("B1", MINOR_MAX), debt("B2", 1)]), "debts", "too_large"),
    (set_in("listings_on_sale", to=-3), "listings_on_sale", "too_small"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "path", "kind"), WRONG, ids=[f"{p}-{k}" for _, p, k in WRONG])
def test_one_wrong_field_is_the_one_problem_named(change, path, kind):
    document = clean_document()
    parse_facts(document)

    change(document)

    assert problems_of(document) == [(path, kind)]


@pytest.mark.parametrize("document", [None, [], "text", 3, True])
def test_what_is_not_an_object_is_refused(document):
    assert ("$", "wrong_type") in problems_of(document)


def test_all_problems_are_reported_at_once_in_both_languages():
    document = clean_document(listings_on_sale=-1, surprise=1)
    document["shop"]["kind"] = "museum"

    with pytest.raises(FactsInvalid) as refused:
        parse_facts(document)

    assert len(refused.value.problems) == 3
    english = [problem.in_language("en") for problem in refused.value.problems]
    chinese = [problem.in_language("zh-hans") for problem in refused.value.problems]
    assert any(line.startswith("shop.kind: “museum” is not one of: individual") for line in english)
    assert any(line.startswith("shop.kind: “museum”不在可选值之内") for line in chinese)


def test_a_very_long_list_of_problems_is_cut_and_says_so():
    bad = [order(f"O{index}", "lost", ago(1)) for index in range(PROBLEMS_MAX + 25)]

    with pytest.raises(FactsInvalid) as refused:
        parse_facts(clean_document(orders=bad))

    assert len(refused.value.problems) == PROBLEMS_MAX + 1
    assert "25" in str(refused.value.problems[-1])


def test_a_list_longer_than_the_limit_is_refused_without_reading_it():
    assert problems_of(clean_document(orders=[None] * (ITEMS_MAX + 1))) == [("orders", "too_many")]


def test_absent_lists_mean_nothing_reported_and_absent_ends_mean_none_known():
    document = clean_document()
    for name in ("orders",):
        del document[name]
    del document["shop"]["closed_at"], document["deposit"]["lots"][0]["refundable_until"]

    facts = parse_facts(document)

    assert facts.orders == ()
    assert facts.shop.closed_at is None


def test_an_end_known_to_come_is_fine_for_an_open_and_for_a_closed_case():
    cases = [dispute("D1", ago(2), ahead(3)), {**dispute("D2", ago(2), ahead(3)), "status": "open"}]

    facts = parse_facts(clean_document(disputes=cases))

    assert [case.closed_at for case in facts.disputes] == [facts.disputes[0].closed_at] * 2


RAW = [
    (b"", "unreadable"),
    (b"{", "unreadable"),
    (b"\xff\xfe{\x00", "unreadable"),
    ('{"a": "坏"}'.encode("gb18030"), "unreadable"),
    (b'{"as_of": NaN}', "unreadable"),
    (b'{"as_of": Infinity}', "unreadable"),
    (b'{"as_of": 1, "as_of": 2}', "duplicate"),
    (b"[" * 100_000, "unreadable"),
    (b'{"listings_on_sale": ' + b"9" * 5000 + b"}", "unreadable"),
    (b" " * (FACTS_BYTES_MAX + 1), "unreadable"),
]


@pytest.mark.parametrize(("raw", "kind"), RAW, ids=range(len(RAW)))
def test_a_file_that_is_no_proper_json_is_refused_with_the_reason(raw, kind):
    with pytest.raises(FactsInvalid) as refused:
        parse_facts_bytes(raw)

    assert [problem.kind for problem in refused.value.problems] == [kind]


def test_a_byte_order_mark_is_no_reason_to_refuse():
    raw = "\ufeff".encode() + json.dumps(clean_document()).encode()

    assert parse_facts_bytes(raw).shop.id == "S1"
