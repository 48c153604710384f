"""The plan of a history: what people and the marketplace will try, and when, drawn from the seed.

Every act draws its details from a source of its own, so that leaving one out changes no other. That
is what makes a failing history small: see `shrinking`.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field, replace
from random import Random

from kuaitui.simulation.chance import chance_of
from kuaitui.simulation.faults import Fault, Phase, draw_phases

YEAR = dt.timedelta(days=365)
SHOPS = 3
"""Enough for some 30 money operations a year; more shops cost more time."""
LONG_RUN_SHOPS = 2
LONG_RUN_DENSITY = 0.7
"""Long runs are thinner: half as many acts a year, of the same kinds, with the same faults."""
YEARS_PER_HISTORY = 10.0
"""A longer run is several histories, so that none is too long to be looked at."""
# Days on which calendars are hard: before a leap day, at a year's end, at a month's end.
STARTS = (
    dt.datetime(2024, 2, 27, 22, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 30, 3, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 30, 15, 59, tzinfo=dt.UTC),
    dt.datetime(2023, 10, 31, 9, tzinfo=dt.UTC),
)


class ActKind(enum.StrEnum):
    """What can be tried."""

    OPEN_SHOP = "open_shop"
    PAY_IN = "pay_in"
    TRADE = "trade"
    """An order is placed, and completed or closed later."""
    TROUBLE = "trouble"
    """An after-sale, dispute, violation, restriction or debt comes, and goes later."""
    LISTINGS = "listings"
    APPLY = "apply"
    CARE = "care"
    """Whoever is next acts on what is open."""
    DEDUCT = "deduct"
    REQUIRE = "require"
    """The marketplace asks for more or less."""
    STOP_SENDING = "stop_sending"
    LIMIT = "limit"
    LEAVE = "leave"
    """A shop closes and asks everything back."""
    PAY_BY_CODE = "pay_by_code"
    """A seller orders a code to pay in by, and pays, or not, or twice."""
    HEARING = "hearing"
    """A deduction is announced; its seller replies, others decide, or nobody does."""


# How often in a year, for each shop.
FREQUENCIES = {
    ActKind.PAY_IN: 3.0,
    ActKind.TRADE: 1.5,
    ActKind.TROUBLE: 0.6,
    ActKind.LISTINGS: 0.3,
    ActKind.APPLY: 4.0,
    ActKind.CARE: 0.5,
    ActKind.DEDUCT: 1.0,
    ActKind.REQUIRE: 0.3,
    ActKind.STOP_SENDING: 0.3,
    ActKind.LIMIT: 0.1,
    ActKind.LEAVE: 0.6,
    ActKind.PAY_BY_CODE: 1.0,
    ActKind.HEARING: 1.0,
}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is tried."""

    number: int
    at: dt.datetime
    kind: ActKind
    shop: int

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} shop {self.shop} (act {self.number})"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a history: the same recipe gives the same one."""

    seed: int
    years: float
    shops: int = SHOPS
    severity: float = 1.0
    """How many times the everyday rate faults come."""
    density: float = 1.0
    """How many times the standard number of acts a year, of every kind alike."""
    repeats: int = 0
    """How many notifications more come for each that a channel sends; see `flood`."""
    without: frozenset[str] = field(default_factory=frozenset)
    """Kinds of acts and faults that are left out."""
    only_acts: tuple[int, ...] | None = None
    """The acts that are kept; all others are left out."""

    def command(self) -> str:
        """The command line that plays it again."""
        parts = [f"kuaitui simulate --seed {self.seed} --years {self.years:g}"]
        parts.append(f"--shops {self.shops}")
        if self.severity != 1.0:
            parts.append(f"--severity {self.severity:g}")
        if self.density != 1.0:
            parts.append(f"--density {self.density:g}")
        if self.repeats:
            parts.append(f"--repeats {self.repeats}")
        if self.without:
            parts.append(f"--without {','.join(sorted(self.without))}")
        if self.only_acts is not None:
            parts.append(f"--acts {','.join(map(str, self.only_acts))}")
        return " ".join(parts)

    def leaving_out(self, *names: str) -> Recipe:
        """The same without some kinds of acts or faults."""
        return replace(self, without=self.without | frozenset(names))


def recipes_of(recipe: Recipe) -> list[Recipe]:
    """The histories that a long one is cut into: the seed, the seed after it, …"""
    parts = []
    left, seed = recipe.years, recipe.seed
    while left > 0:
        years = min(left, YEARS_PER_HISTORY)
        parts.append(replace(recipe, seed=seed, years=years))
        left, seed = left - years, seed + 1
    return parts


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe comes to."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    acts: tuple[Act, ...]
    phases: tuple[Phase, ...]
    left_out: frozenset[Fault]


def draw_plan(recipe: Recipe) -> Plan:
    """Draw what will be tried, in the order of time."""
    chance = chance_of(recipe.seed, "plan")
    starts_at = chance.choice(STARTS)
    ends_at = starts_at + recipe.years * YEAR
    acts: list[Act] = []
    for shop in range(recipe.shops):
        # Apart for each shop and kind: fewer shops, or fewer kinds, are the same history with gaps.
        opens = chance_of(recipe.seed, shop).uniform(0, 40)
        opens_at = starts_at + dt.timedelta(days=opens)
        acts.append(Act(shop * 100_000, opens_at, ActKind.OPEN_SHOP, shop))
        for place, (kind, a_year) in enumerate(FREQUENCIES.items(), start=1):
            source = chance_of(recipe.seed, shop, kind)
            often = a_year * recipe.density
            for index, at in enumerate(_moments(source, often, opens_at, ends_at)):
                acts.append(Act(shop * 100_000 + place * 5_000 + index, at, kind, shop))
    kept = None if recipe.only_acts is None else frozenset(recipe.only_acts)
    return Plan(
        starts_at=starts_at,
        ends_at=ends_at,
        acts=tuple(
            sorted(
                (
                    act
                    for act in acts
                    if act.kind not in recipe.without and (kept is None or act.number in kept)
                ),
                key=lambda act: (act.at, act.number),
            )
        ),
        phases=draw_phases(
            chance_of(recipe.seed, "phases"),
            begins_at=starts_at,
            ends_at=ends_at,
        ),
        left_out=frozenset(fault for fault in Fault if fault in recipe.without),
    )


def _moments(
    chance: Random, a_year: float, begins_at: dt.datetime, ends_at: dt.datetime
) -> list[dt.datetime]:
    """Moments at random, so many a year on average."""
    moments = []
    at = begins_at
    while (at := at + chance.expovariate(a_year) * YEAR) < ends_at:
        moments.append(at)
    return moments
