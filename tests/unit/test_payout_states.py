"""The states of a leg are complete, and the page that explains them shows no way that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from kuaitui.payouts.states import LIVE, REPAIRABLE, TRANSITIONS, LegState, may_move

PAGE = Path(__file__).parents[2] / "docs/explanation/payouts.md"


def test_every_state_says_where_it_leads() -> None:
    assert set(TRANSITIONS) == set(LegState)


def test_every_live_leg_can_end() -> None:
    reached = set(LegState) - LIVE
    while True:
        more = {state for state in LIVE - reached if TRANSITIONS[state] & reached}
        if not more:
            break
        reached |= more
    assert reached == set(LegState)


def test_what_may_be_repaired_never_moves_again_by_itself() -> None:
    assert all(not TRANSITIONS[state] for state in REPAIRABLE)


def test_only_a_paid_leg_returns_once_it_has_ended() -> None:
    ended = set(LegState) - LIVE
    ways = {(state, target) for state in ended for target in TRANSITIONS[state]}
    assert ways == {(LegState.PAID, LegState.RETURNED)}


def test_the_page_shows_only_ways_that_are_there() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+)", PAGE.read_text(), re.MULTILINE)

    assert len(arrows) > 10
    for source, target in arrows:
        assert may_move(LegState(source), LegState(target)), f"{source} → {target}"
    assert {LegState(word) for pair in arrows for word in pair} == set(LegState)
