"""Making a failing history small: fewer shops, fewer years, fewer kinds, fewer acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.simulation.databases import Databases
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.plan import ActKind, Recipe, draw_plan
from kuaitui.simulation.running import play


def shrink(recipe: Recipe, databases: Databases, *, within_s: float) -> Recipe:
    """The smallest recipe found in that time that still fails with the same rule."""
    rules = {finding.rule for finding in play(recipe, databases).findings}

    def fails(smaller: Recipe) -> bool:
        return bool(rules & {finding.rule for finding in play(smaller, databases).findings})

    return shrink_while(recipe, fails, within_s=within_s)


def shrink_while(recipe: Recipe, fails: Callable[[Recipe], bool], *, within_s: float) -> Recipe:
    """Try smaller recipes, the boldest first, and keep each that fails; stop when time is up."""
    deadline = read_stopwatch_s() + within_s
    has_shrunk = True
    while has_shrunk:
        has_shrunk = False
        for smaller in _smaller_ones(recipe):
            if read_stopwatch_s() > deadline:
                return recipe
            if fails(smaller):
                recipe, has_shrunk = smaller, True
                break
    return recipe


def _smaller_ones(recipe: Recipe) -> Iterator[Recipe]:
    """Recipes a step smaller."""
    if recipe.only_acts is None:
        if recipe.shops > 1:
            yield replace(recipe, shops=1)
            yield replace(recipe, shops=recipe.shops - 1)
        for part in (0.25, 0.5, 0.75):
            if recipe.years > 0.5:
                yield replace(recipe, years=round(recipe.years * part, 2))
        for name in [*sorted(Fault), *sorted(set(ActKind) - {ActKind.OPEN_SHOP})]:
            if name not in recipe.without:
                yield recipe.leaving_out(name)
    acts = recipe.only_acts or tuple(act.number for act in draw_plan(recipe).acts)
    yield from (replace(recipe, only_acts=kept) for kept in _without_parts(acts))


def _without_parts(acts: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The acts without one half, one quarter, … one act (delta debugging)."""
    size = len(acts) // 2
    while size >= 1:
        for start in range(0, len(acts), size):
            kept = acts[:start] + acts[start + size :]
            if kept:
                yield kept
        size //= 2
