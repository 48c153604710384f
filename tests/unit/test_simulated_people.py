"""What simulated people do when the process dies under their hands, again and again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from random import Random
from types import SimpleNamespace

import pytest

from kuaitui.kernel.errors import Refusal
from kuaitui.simulation.clocks import WorldClock
from kuaitui.simulation.crashes import Crashes, SimulatedCrash
from kuaitui.simulation.faults import Fault, Phase, Weather
from kuaitui.simulation.world import TRIES_MAX, World

BEGINS = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
ENDS = BEGINS + dt.timedelta(days=9)


class NothingToRelease(Refusal):
    code = "test.nothing_to_release"


@pytest.fixture
def world():
    """A world in which nothing but the ends of processes goes wrong."""
    weather = Weather(
        phases=(Phase(BEGINS, ENDS, frozenset({Fault.CRASH})),),
        left_out=frozenset(set(Fault) - {Fault.CRASH}),
        calm_from=ENDS,
    )
    crashes = Crashes(on_moment=lambda _: None, on_crash=lambda _: None)
    figures = SimpleNamespace(refusals=Counter())
    return World(WorldClock(BEGINS), weather, crashes, figures, Random(1), {})


def dying(times, then):
    """Somebody whose process ends so many times, and what happens then."""
    tries = iter(range(times))

    def act():
        if next(tries, None) is not None:
            raise SimulatedCrash("commit.after")
        return then()

    return act


def refuse():
    raise NothingToRelease


@pytest.mark.parametrize("deaths", range(TRIES_MAX + 1))
def test_a_refusal_is_an_answer_after_however_many_deaths(world, deaths):
    assert world.attempt(Random(1), dying(deaths, refuse)) is None
    assert world.figures.refusals == {NothingToRelease.code: 1}


@pytest.mark.parametrize("deaths", range(TRIES_MAX + 1))
def test_what_is_done_at_last_is_told(world, deaths):
    assert world.attempt(Random(1), dying(deaths, lambda: "released")) == "released"


def test_what_is_forbidden_is_found_out_after_deaths_too(world):
    world.attempt_what_is_forbidden(Random(1), "one person", dying(TRIES_MAX, lambda: "done"))
    world.attempt_what_is_forbidden(Random(1), "nobody", dying(TRIES_MAX, refuse))

    assert world.wrongs == ["one person"]
