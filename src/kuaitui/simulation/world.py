"""What everybody in a history shares: time, channels, shops, chance, and the way to try something."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, LiteralString, TypeVar

import psycopg
from django.db import connection

from kuaitui.channels.registry import Channels
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.errors import Refusal
from kuaitui.payouts.queries import LastSend
from kuaitui.simulation.channel_book import Heard
from kuaitui.simulation.channels import ModelChannel
from kuaitui.simulation.clocks import WorldClock
from kuaitui.simulation.crashes import Crashes, SimulatedCrash
from kuaitui.simulation.faults import Fault, Weather
from kuaitui.simulation.figures import Figures
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.visits import Payer, Visit

Result = TypeVar("Result")
MARKETPLACE: Final = Actor.system("marketplace")
STAFF: Final = tuple(Actor(ActorKind.STAFF, f"usr_staff_{name}") for name in ("an", "bo", "chi"))
TRIES_MAX = 3
MOMENTS_MAX = 6


@dataclass(slots=True)
class World:
    """One history under way."""

    clock: WorldClock
    weather: Weather
    crashes: Crashes
    figures: Figures
    chance: Random
    model_channels: dict[str, ModelChannel]
    shops: dict[int, SimulatedShop] = field(default_factory=dict)
    follow_ups: list[tuple[dt.datetime, Visit]] = field(default_factory=list)
    """When somebody will look at a shop again."""
    payers: list[tuple[dt.datetime, Payer]] = field(default_factory=list)
    """When who comes to an order that waits for a payment."""
    heard: defaultdict[str, Heard] = field(default_factory=lambda: defaultdict(Heard))
    """What was delivered to us, by channel."""
    last_send: LastSend | None = None
    """What a worker notes outside of the database."""
    lost_numbers: set[str] = field(default_factory=set)
    """Numbers whose legs a restore took: the machine makes them again."""
    wrongs: list[str] = field(default_factory=list)
    """What people were let do though it is forbidden."""
    is_calm: bool = False
    """The history is over: everybody finishes what is open, and nothing goes wrong any more."""

    @property
    def now(self) -> dt.datetime:
        """What our clock shows."""
        return self.clock.read()

    @property
    def channels(self) -> Channels:
        """The model channels as the machine knows channels."""
        return Channels(self.model_channels)

    def attempt(self, chance: Random, use_case: Callable[[], Result]) -> Result | None:
        """Do what a person or another system does through our pages, and again if we died of it.

        A refusal is an answer, counted by its code.
        """
        for _ in range(TRIES_MAX):
            if self.weather.strikes(Fault.CRASH, self.clock.at, chance):
                self.crashes.arm(moments=chance.randrange(MOMENTS_MAX))
            try:
                return self._answer_of(use_case)
            except SimulatedCrash:
                self.clock.pass_by(dt.timedelta(seconds=chance.uniform(1, 600)))
            finally:
                self.crashes.disarm()
        return self._answer_of(use_case)

    def _answer_of(self, use_case: Callable[[], Result]) -> Result | None:
        try:
            return use_case()
        except Refusal as refusal:
            self.figures.refusals[refusal.code] += 1
            return None

    def attempt_what_is_forbidden(
        self, chance: Random, what: str, use_case: Callable[[], object]
    ) -> None:
        """Do what must be refused; it is a finding if it is not."""
        if self.attempt(chance, use_case) is not None:
            self.wrongs.append(what)

    def look_again(self, shop: int, after: dt.timedelta, *, asks_for_all: bool = False) -> None:
        """Have somebody look at a shop after a while."""
        self.follow_ups.append((self.clock.at + after, Visit(shop, asks_for_all)))


def ask(query: LiteralString, *values: str | int) -> list[tuple[Any, ...]]:
    """What the tables say.

    The same few questions come after every step: they are planned once for each connection, which
    Django's own cursors do not do.
    """
    connection.ensure_connection()
    server: psycopg.Connection[tuple[Any, ...]] = connection.connection
    server.prepare_threshold = 0
    with psycopg.Cursor(server) as cursor:
        return cursor.execute(query, values).fetchall()


def tell(statement: str, *values: dt.datetime) -> None:
    """Put a table into the state that a fault leaves behind."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
