"""Many histories in several processes at once.

What plays them is imported late: a new process reads this file before Django is set up in it.
"""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import django

from kuaitui.simulation.figures import Figures
from kuaitui.simulation.plan import LONG_RUN_DENSITY, LONG_RUN_SHOPS, Recipe, recipes_of


def run_side_by_side(
    seed: int,
    years: float,
    *,
    server_url: str,
    processes: int,
    shops: int = LONG_RUN_SHOPS,
    density: float = LONG_RUN_DENSITY,
) -> Figures:
    """Play the same histories as `running.run`, dealt out to processes, on databases of one server.

    A process stops at its first finding; the others finish what is theirs.
    """
    recipes = recipes_of(Recipe(seed, years, shops, density=density))
    shares = [share for number in range(processes) if (share := recipes[number::processes])]
    total = Figures()
    # Spawned, not forked: a connection must not be shared with the process that calls.
    with ProcessPoolExecutor(len(shares), mp_context=get_context("spawn")) as pool:
        for figures in pool.map(_play_share, shares, [server_url] * len(shares)):
            total.add(figures)
    return total


def _play_share(recipes: list[Recipe], server_url: str) -> Figures:
    """What one process plays."""
    django.setup()
    logging.disable(logging.CRITICAL)
    from kuaitui.simulation.databases import Databases  # noqa: PLC0415
    from kuaitui.simulation.running import play_all  # noqa: PLC0415

    databases = Databases(server_url)
    try:
        return play_all(recipes, databases)
    finally:
        databases.close()
