"""Playing many histories, one seed after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kuaitui.simulation.databases import Databases
from kuaitui.simulation.figures import Figures
from kuaitui.simulation.history import History
from kuaitui.simulation.plan import SHOPS, Recipe

YEARS_PER_HISTORY = 10.0
"""A longer run is several histories, so that none is too long to be looked at."""


def play(recipe: Recipe, databases: Databases) -> Figures:
    """Play one history on a database of its own."""
    with databases.fresh():
        return History(recipe).play()


def recipes_of(recipe: Recipe) -> list[Recipe]:
    """The histories that a long one is cut into: the seed, the seed after it, …"""
    parts = []
    left, seed = recipe.years, recipe.seed
    while left > 0:
        years = min(left, YEARS_PER_HISTORY)
        parts.append(replace(recipe, seed=seed, years=years))
        left, seed = left - years, seed + 1
    return parts


def run(
    seed: int,
    years: float,
    *,
    databases: Databases,
    shops: int = SHOPS,
    on_history: Callable[[Recipe, Figures], None] | None = None,
) -> Figures:
    """Play `years` of histories from `seed` on; stops at the first that has a finding."""
    total = Figures()
    for recipe in recipes_of(Recipe(seed, years, shops)):
        figures = play(recipe, databases)
        total.add(figures)
        if on_history is not None:
            on_history(recipe, figures)
        if figures.findings:
            break
    return total
