"""What an assessment says about one shop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kuaitui.policy import assess, facts_to_json, load_pack, parse_facts
from kuaitui.policy.packs import available_packs
from kuaitui.policy.types import RefundKind

EXAMPLE = Path(__file__).parents[2] / "docs/examples/facts.json"


@pytest.fixture
def example() -> dict[str, object]:
    return json.loads(EXAMPLE.read_text("utf-8"))


@pytest.mark.parametrize("pack", available_packs())
def test_the_documented_example_is_refused_naming_its_open_order(pack, example):
    facts = parse_facts(example)

    assessment = assess(load_pack(pack), facts, kind=RefundKind.FULL_EXIT)

    assert not assessment.is_eligible
    evidence = {(item.kind, item.id) for f in assessment.blockers for item in f.evidence}
    assert {("order", "O1"), ("after_sale", "A1"), ("debt", "B1")} <= evidence
    assert assessment.refundable_minor == 300000 - 1200
    assert assessment.earliest_on is None


def test_facts_written_and_read_again_are_the_same_facts(example):
    facts = parse_facts(example)

    assert parse_facts(facts_to_json(facts)) == facts
