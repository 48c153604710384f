"""Years of a made-up marketplace on the real machine: nothing lost, nothing paid twice, nothing stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from kuaitui.simulation.databases import Databases
from kuaitui.simulation.plan import Recipe
from kuaitui.simulation.running import play, run

SEEDS = Path(__file__).with_name("seeds.txt")
YEARS = 3.0


def kept_recipes() -> list[Recipe]:
    """Histories in which something was found once, one a line: seed, years, shops."""
    lines = [line.split("#")[0].split() for line in SEEDS.read_text().splitlines()]
    return [
        Recipe(int(seed), float(years), int(shops))
        for seed, years, shops in (line for line in lines if line)
    ]


def test_simulated_years_lose_nothing_pay_nothing_twice_and_leave_nothing_stuck(
    databases: Databases,
) -> None:
    figures = run(1, YEARS, databases=databases)

    assert figures.findings == []
    assert figures.years == YEARS
    assert figures.crashes.total() > 0
    assert figures.notifications > 0


@pytest.mark.parametrize("recipe", kept_recipes(), ids=lambda recipe: recipe.command())
def test_what_was_found_once_is_not_found_again(databases: Databases, recipe: Recipe) -> None:
    assert play(recipe, databases).findings == []


def test_one_seed_is_one_history(databases: Databases) -> None:
    first, second = (play(Recipe(5, 0.7), databases).to_json() for _ in range(2))

    assert {**first, "seconds": 0} == {**second, "seconds": 0}
