"""Playing many histories, one seed after the other. In several processes: see `side_by_side`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kuaitui.simulation.databases import Databases
from kuaitui.simulation.figures import Figures
from kuaitui.simulation.history import History
from kuaitui.simulation.plan import LONG_RUN_DENSITY, LONG_RUN_SHOPS, SHOPS, Recipe, recipes_of

REPEATS = 1_000
"""Notifications in a flood for each that a channel sends by itself."""


def play(recipe: Recipe, databases: Databases) -> Figures:
    """Play one history on a database of its own."""
    with databases.fresh():
        return History(recipe, databases).play()


def run(
    seed: int,
    years: float,
    *,
    databases: Databases,
    shops: int = SHOPS,
    density: float = 1.0,
    on_history: Callable[[Recipe, Figures], None] | None = None,
) -> Figures:
    """Play `years` of histories from `seed` on; stops at the first that has a finding."""
    recipe = Recipe(seed, years, shops, density=density)
    return play_all(recipes_of(recipe), databases, on_history)


def notifications(
    seed: int, count: int, *, databases: Databases, repeats: int = REPEATS
) -> Figures:
    """Play histories in a flood until at least `count` notifications were delivered and judged.

    They come repeated, up to 60 days late, out of order and forged. Stops at the first finding.
    """
    total = Figures()
    while total.notifications < count and not total.findings:
        recipe = Recipe(seed, 1.0, LONG_RUN_SHOPS, density=LONG_RUN_DENSITY, repeats=repeats)
        total.add(play(recipe, databases))
        seed += 1
    return total


def play_all(
    recipes: Iterable[Recipe],
    databases: Databases,
    on_history: Callable[[Recipe, Figures], None] | None = None,
) -> Figures:
    """Play them in their order; stops at the first that has a finding."""
    total = Figures()
    for recipe in recipes:
        figures = play(recipe, databases)
        total.add(figures)
        if on_history is not None:
            on_history(recipe, figures)
        if figures.findings:
            break
    return total
