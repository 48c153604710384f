"""A failing history is made small: less of it, the same rule, and a command that plays it again."""

from __future__ import annotations

import argparse
import shlex

from kuaitui.interfaces.cli import simulate
from kuaitui.simulation.databases import Databases
from kuaitui.simulation.plan import ActKind, Recipe, draw_plan
from kuaitui.simulation.running import play
from kuaitui.simulation.shrinking import shrink, shrink_while
from tests.simulation.bugs import BUGS

LONG = Recipe(seed=1, years=1.0, shops=2)
(BUG,) = (bug for bug in BUGS if bug.name == "an amount is sent a hundredfold")
WITHIN_S = 4.0
"""The first step is tried whatever the time; it is one that fails with this bug."""


def read(command: str) -> Recipe:
    """What `kuaitui simulate` plays when it is called so."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("kuaitui", "simulate")
    parser = argparse.ArgumentParser()
    simulate.configure(parser)
    return simulate.recipe_of(parser.parse_args(words))


def test_a_failing_history_becomes_shorter_and_fails_with_the_same_rule(
    databases: Databases,
) -> None:
    with BUG.switched_on():
        before = play(LONG, databases).findings
        short = shrink(LONG, databases, within_s=WITHIN_S)

        again = play(read(short.command()), databases).findings

    assert len(draw_plan(short).acts) < len(draw_plan(LONG).acts)
    assert [finding.rule for finding in again] == [finding.rule for finding in before] != []


def test_only_what_the_failure_needs_is_left() -> None:
    deduction = next(act for act in draw_plan(LONG).acts if act.kind is ActKind.DEDUCT)

    def fails(recipe: Recipe) -> bool:
        return deduction in draw_plan(recipe).acts

    short = shrink_while(LONG, fails, within_s=30.0)

    assert draw_plan(short).acts == (deduction,)
    assert (
        draw_plan(short).left_out == draw_plan(LONG.leaving_out(*short.without)).left_out != set()
    )
    assert read(short.command()) == short


def test_a_history_that_fails_in_no_smaller_way_stays_as_it_is() -> None:
    assert shrink_while(LONG, lambda _: False, within_s=30.0) == LONG


def test_the_command_of_a_recipe_says_all_of_it() -> None:
    recipe = Recipe(
        seed=7,
        years=2.25,
        shops=4,
        severity=3.0,
        density=0.7,
        repeats=9,
        without=frozenset({"crash", "deduct"}),
        only_acts=(0, 5_000, 100_000),
    )

    assert read(recipe.command()) == recipe
