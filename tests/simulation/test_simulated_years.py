"""Years of a made-up marketplace on the real machine: nothing lost, nothing paid twice, nothing stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from kuaitui.simulation.databases import Databases
from kuaitui.simulation.plan import ActKind, Recipe
from kuaitui.simulation.running import notifications, play, run
from kuaitui.simulation.side_by_side import run_side_by_side

SEEDS = Path(__file__).with_name("seeds.txt")
YEARS, DENSE_YEARS = 200.0, 2.0
PROCESSES = 2
TOLD = 1_000


def kept_recipes() -> list[Recipe]:
    """Histories in which something was found once, one a line: seed, years, shops, density."""
    lines = [line.split("#")[0].split() for line in SEEDS.read_text().splitlines()]
    return [
        Recipe(int(seed), float(years), int(shops), density=float(density)).leaving_out(
            # They were found before anybody paid by code, and are played as they were.
            ActKind.PAY_BY_CODE
        )
        for seed, years, shops, density in (line for line in lines if line)
    ]


def test_two_hundred_years_lose_nothing_pay_nothing_twice_and_leave_nothing_stuck(
    server_url: str,
) -> None:
    figures = run_side_by_side(1, YEARS, server_url=server_url, processes=PROCESSES)

    assert figures.findings == []
    assert figures.years == YEARS
    assert figures.crashes.total() > YEARS
    assert figures.notifications > YEARS
    assert figures.payments > YEARS / 2
    assert figures.restores > YEARS / 10


def test_dense_years_lose_nothing_either(databases: Databases) -> None:
    figures = run(1, DENSE_YEARS, databases=databases)

    assert figures.findings == []
    assert figures.years == DENSE_YEARS


@pytest.mark.parametrize("recipe", kept_recipes(), ids=lambda recipe: recipe.command())
def test_what_was_found_once_is_not_found_again(databases: Databases, recipe: Recipe) -> None:
    assert play(recipe, databases).findings == []


def test_one_seed_is_one_history(databases: Databases) -> None:
    first, second = (play(Recipe(5, 0.7), databases).to_json() for _ in range(2))

    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_processes_side_by_side_play_what_one_alone_plays(
    databases: Databases, server_url: str
) -> None:
    alone = run(1, 0.5, databases=databases, shops=1, density=0.5).to_json()

    beside = run_side_by_side(
        1, 0.5, server_url=server_url, processes=2, shops=1, density=0.5
    ).to_json()

    assert {**beside, "seconds": 0} == {**alone, "seconds": 0}


def test_a_flood_of_notifications_is_written_down_once_and_its_forgeries_are_refused(
    databases: Databases,
) -> None:
    figures = notifications(1, TOLD, databases=databases, repeats=200)

    assert figures.findings == []
    assert figures.notifications >= TOLD
