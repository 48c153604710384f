"""One history, played: acts, notifications and the machine in the order of time, audited all along."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from django.db import IntegrityError

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kernel.ids import ids_drawn_from
from kuaitui.kernel.money import Money
from kuaitui.payouts.types import ALL_CHANNELS
from kuaitui.refunds.types import AmountChoice
from kuaitui.simulation import care, finance, hearings, marketplace, payers, sellers, staff
from kuaitui.simulation.auditor import Auditor
from kuaitui.simulation.chance import chance_of
from kuaitui.simulation.channels import DAY, ModelChannel
from kuaitui.simulation.clocks import NONE, WorldClock
from kuaitui.simulation.crashes import Crashes
from kuaitui.simulation.databases import Databases
from kuaitui.simulation.evidence import gather_evidence
from kuaitui.simulation.faults import Fault, Weather
from kuaitui.simulation.figures import Figures, Finding
from kuaitui.simulation.flood import Burst, Flood
from kuaitui.simulation.installation import installed
from kuaitui.simulation.plan import Act, ActKind, Plan, Recipe, draw_plan
from kuaitui.simulation.restores import Restores
from kuaitui.simulation.shops import SimulatedShop
from kuaitui.simulation.surroundings import Surroundings
from kuaitui.simulation.telling import Told
from kuaitui.simulation.visits import Payer, Step, Visit
from kuaitui.simulation.workers import Due, Workers
from kuaitui.simulation.world import World, ask

TURNS_MAX = 1_000
"""Turns of workers within an hour; more would be a loop without end."""
COMES_TO_REST = "the machine comes to rest"
AUDIT_EVERY = 40
SETTLING_ROUNDS_MAX = 40
ROUNDS_WITHOUT_BILLS = 3
"""So long it must be enough that channels tell us, and are asked."""
HOUR = dt.timedelta(hours=1)
CATCH_UP = dt.timedelta(minutes=15)
RELEASED_EVERY = dt.timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Release:
    """People look whether payouts may go on after a restore."""


Todo = Act | Told | Burst | Visit | Release | Payer


class History:
    """Plays a recipe on the database that Django is connected to, which must be empty."""

    def __init__(self, recipe: Recipe, databases: Databases) -> None:
        self.recipe = recipe
        self.plan: Plan = draw_plan(recipe)
        self.figures = Figures(years=recipe.years, shops=recipe.shops, histories=1)
        self._doing = "the beginning"
        self._todo: list[tuple[dt.datetime, int, Todo]] = []
        self._order = itertools.count()
        self._world = self._make_world()
        self._workers = Workers(self._world, chance_of(recipe.seed, "many at once"))
        self._flood = Flood(recipe.repeats, chance_of(recipe.seed, "flood"), self._workers.hear)
        self._auditor = Auditor(ask)
        self._restores = Restores(self._world, databases, chance_of(recipe.seed, "restores"))
        self._steps = 0

    def play(self) -> Figures:
        """Play it to its end, or to the first finding."""
        began = read_stopwatch_s()
        try:
            ids = chance_of(self.recipe.seed, "ids")
            with (
                ids_drawn_from(ids.randbytes),
                installed(self._world.model_channels),
                self._world.crashes.in_force(),
            ):
                self._play()
        except _Found:
            pass
        except Exception as failure:  # noqa: BLE001 - the outermost loop; it becomes the finding
            self.figures.findings.append(self._finding(_rule_of(failure), _first_line(failure)))
        self.figures.seconds = read_stopwatch_s() - began
        for kind, count in ask("SELECT kind, count(*) FROM ledger_journal GROUP BY kind"):
            self.figures.journals[kind] = count
        return self.figures

    def _make_world(self) -> World:
        clock = WorldClock(self.plan.starts_at)
        weather = Weather(
            self.plan.phases, self.plan.left_out, self.plan.ends_at, self.recipe.severity
        )
        channels = {
            name: ModelChannel(
                name,
                original_window=dt.timedelta(days=window),
                resend_window=dt.timedelta(days=resend),
                around=Surroundings(
                    skew=dt.timedelta(seconds=skew),
                    clock=clock,
                    weather=weather,
                    chance=chance_of(self.recipe.seed, name),
                    during_a_call=self._during_a_call,
                    count_fault=lambda fault: self.figures.faults.update([fault.value]),
                ),
            )
            for name, window, resend, skew in (("model_a", 365, 30, 40), ("model_b", 90, 7, -25))
        }
        crashes = Crashes(
            on_moment=self._at_moment,
            on_crash=lambda place: self.figures.crashes.update([place]),
        )
        chance = chance_of(self.recipe.seed, "machine")
        return World(clock, weather, crashes, self.figures, chance, channels)

    def _during_a_call(self) -> None:
        self._workers.during_a_call()

    def _at_moment(self, name: str) -> None:
        self._workers.at_moment(name)

    def _play(self) -> None:
        self._workers.start()
        for act in self.plan.acts:
            self._put(act.at, act)
        self._run(self.plan.ends_at)
        if self._restores.is_near:
            self._restore()
        self._settle()

    def _run(self, until: dt.datetime) -> None:
        """Let everything happen that falls before `until`, in the order of time."""
        clock, turns, counted_from = self._world.clock, 0, self._world.clock.at
        while True:
            at = min([until, *self._foreseen()])
            due = self._workers.next_due()
            due_at = _first(due)
            if due_at is not None and due_at - (clock.read() - clock.at) <= at:
                # Parts that wait for a limit of the day are looked at all day long.
                if clock.at - counted_from >= HOUR:
                    turns, counted_from = 0, clock.at
                turns += 1
                if turns > TURNS_MAX:
                    self._found(COMES_TO_REST, f"{turns} turns without an end")
                self._take_turn(due, due_at)
                continue
            clock.at = max(clock.at, at)
            if at >= until:
                return
            turns, counted_from = 0, clock.at
            if self._restores.is_due:
                self._restore()
                continue
            todo = heapq.heappop(self._todo)[2]
            if self._restores.is_near and _is_an_act_here(todo):
                self._restore()
            self._do(todo)
            self._collect_new()
            self._audit()

    def _foreseen(self) -> list[dt.datetime]:
        """When something is to happen that no worker does, the first of each kind."""
        first = [self._todo[0][0]] if self._todo else []
        return [*first, *([self._restores.ends_at] if self._restores.ends_at else [])]

    def _take_turn(self, due: Due, due_at: dt.datetime) -> None:
        self._world.clock.go_to(due_at)
        self._restores.begin_perhaps()
        self._doing = "a worker's turn"
        self._workers.take_turn(due)
        self._collect_new()
        self._audit()
        if self._restores.is_due:
            self._restore()

    def _restore(self) -> None:
        """Come up again on an older database; nobody acts before the machine has caught up."""
        self._doing = "a restore"
        self._restores.restore()
        self._auditor.begin_again()
        self._workers.start()
        self._tell_channels_of_switches()
        self._let_the_machine_catch_up(until=self._world.clock.at + CATCH_UP)
        self._collect_new()
        self._audit()
        self._put(self._world.clock.at + CATCH_UP, Release())

    def _let_the_machine_catch_up(self, until: dt.datetime) -> None:
        for _ in range(TURNS_MAX):
            due = self._workers.next_due()
            due_at = _first(due)
            if due_at is None or due_at > until:
                return
            self._world.clock.go_to(due_at)
            self._workers.take_turn(due)
            self._audit()
        self._found(COMES_TO_REST, f"{TURNS_MAX} turns without an end")

    def _put(self, at: dt.datetime, todo: Todo) -> None:
        heapq.heappush(self._todo, (at, next(self._order), todo))

    def _do(self, todo: Todo) -> None:
        world = self._world
        match todo:
            case Release():
                self._let_payouts_go_on(todo)
            case Act():
                self._doing = str(todo)
                self.figures.acts[todo.kind] += 1
                self._jump_clock(chance_of(self.recipe.seed, todo.number, "clock"))
                self._act(todo, chance_of(self.recipe.seed, todo.number))
            case Told():
                self._doing = f"a notification of {todo.channel}"
                self._workers.hear(todo)
                for at, burst in self._flood.bursts_after(todo):
                    self._put(at, burst)
            case Burst():
                self._doing = f"{todo.count} notifications at once"
                self._flood.play(todo)
            case Payer():
                self._doing = str(todo)
                payers.come(world, todo, world.chance)
            case Visit():
                self._doing = f"somebody looks at shop {todo.shop}"
                shop = world.shops.get(todo.shop)
                if shop is None or world.is_calm:
                    return
                if todo.asks_for_all:
                    sellers.apply(
                        world, shop, world.chance, choice=AmountChoice.WHOLE, is_on_the_day=True
                    )
                else:
                    care.look_at(world, shop, world.chance)

    def _let_payouts_go_on(self, release: Release) -> None:
        self._doing = "finance reads the bills after a restore"
        finance.read_bills(self._world, self._world.chance)
        self._doing = "two people look whether payouts may go on"
        if not staff.release_hold(self._world, self._world.chance):
            self._put(self._world.clock.at + RELEASED_EVERY, release)

    def _act(self, act: Act, chance: Random) -> None:
        world = self._world
        if act.kind is ActKind.OPEN_SHOP:
            marketplace.open_shop(world, act.shop, chance)
            return
        shop = world.shops.get(act.shop)
        if shop is None:
            return
        if act.kind is ActKind.STOP_SENDING:
            self._stop_sending(chance)
        else:
            _PLAYED[act.kind](world, shop, chance)
        self._follow_switches(chance)

    def _stop_sending(self, chance: Random) -> None:
        """The alarm comes while a payout is on its way: a worker saw it due before the switch."""
        for number in sorted(self._world.shops):
            asking = self._world.shops[number]
            marketplace.pay_in(self._world, asking, chance)
            sellers.apply(
                self._world,
                asking,
                chance,
                choice=AmountChoice.PART,
                amount=Money(100, asking.currency),
            )
        self._workers.see_what_is_due()
        # What was begun is judged by the balances before it goes out.
        self._audit()
        staff.stop_sending(self._world, chance)
        self._tell_channels_of_switches()
        self._workers.carry_out_what_was_seen()

    def _tell_channels_of_switches(self) -> list[str]:
        """Let the model channels know what our kill switch says."""
        stopped = [
            name
            for (name,) in ask(
                "SELECT channel FROM payouts_channel_switch WHERE is_stopped ORDER BY channel"
            )
        ]
        for name, channel in self._world.model_channels.items():
            channel.is_stopped_by_us = name in stopped or ALL_CHANNELS in stopped
        return stopped

    def _follow_switches(self, chance: Random) -> None:
        """Have a switch released some day."""
        for name in self._tell_channels_of_switches():
            if self._world.is_calm or chance.random() < 0.5:
                staff.turn_switch(self._world, name, is_stopped=False, chance=chance)
        self._tell_channels_of_switches()

    def _jump_clock(self, chance: Random) -> None:
        if self._world.weather.strikes(Fault.CLOCK_JUMP, self._world.clock.at, chance):
            self.figures.clock_jumps += 1
            error = dt.timedelta(seconds=chance.choice([0, 30, 100, -2, -100]))
            self._world.clock.jump(error)

    def _collect_new(self) -> None:
        """Notifications that channels have sent since, and people who will look again."""
        for name in sorted(self._world.model_channels):
            channel = self._world.model_channels[name]
            for told in channel.told:
                self._put(told.deliver_at, told)
            channel.told.clear()
        for at, visit in self._world.follow_ups:
            self._put(at, visit)
        self._world.follow_ups.clear()
        for at, payer in self._world.payers:
            self._put(at, payer)
        self._world.payers.clear()

    def _settle(self) -> None:
        """Nothing goes wrong any more: everything that is open must come to its end."""
        world = self._world
        world.is_calm = True
        world.clock.jump(NONE)
        world.clock.at = max(world.clock.at, self.plan.ends_at)
        for round_no in range(SETTLING_ROUNDS_MAX):
            self._doing = f"settling, round {round_no}"
            self._follow_switches(world.chance)
            if round_no < ROUNDS_WITHOUT_BILLS:
                self._look_before_the_bills()
            else:
                finance.read_bills(world, world.chance)
            for currency in sorted({shop.currency for shop in world.shops.values()}):
                self._lift_limits(currency)
            for number in sorted(world.shops):
                care.look_at(world, world.shops[number], world.chance)
                self._collect_new()
            self._run(world.clock.at + (2 if round_no < 12 else 12) * DAY)
            if self._is_at_rest():
                break
        self._audit(is_at_rest=True)

    def _lift_limits(self, currency: str) -> None:
        for name in sorted(self._world.model_channels):
            staff.lift_limit(self._world, name, currency)

    def _is_at_rest(self) -> bool:
        return not (
            any(self._workers.next_due())
            or finance.is_anything_without_a_place(self._world)
            or any(care.is_anything_open(shop) for shop in self._world.shops.values())
        )

    def _audit(self, *, is_at_rest: bool = False) -> None:
        self._steps += 1
        evidence = gather_evidence(self._world)
        found = list(self._auditor.look_at_news(evidence))
        if is_at_rest or self._steps % AUDIT_EVERY == 0:
            self.figures.audits += 1
            found += self._auditor.look_at_everything(evidence)
        if is_at_rest:
            found += self._auditor.look_at_rest(evidence)
        for rule, text in found:
            self._found(rule, text)

    def _look_before_the_bills(self) -> None:
        for rule, text in self._auditor.look_before_the_bills(gather_evidence(self._world)):
            self._found(rule, text)

    def _found(self, rule: str, text: str) -> None:
        self.figures.findings.append(self._finding(rule, text))
        raise _Found

    def _finding(self, rule: str, text: str) -> Finding:
        return Finding(rule, text, self._world.clock.at, self._doing)


class _Found(Exception):  # noqa: N818 - it ends a history, nothing failed
    """Something was found; the history ends."""


def _is_an_act_here(todo: Todo) -> bool:
    """Whether somebody acts on our pages. Payments are made at the channels, whatever befalls us."""
    is_at_our_page = isinstance(todo, Payer) and todo.step is Step.CALL_OFF
    return is_at_our_page or isinstance(todo, Act | Visit)


def _first(due: Due) -> dt.datetime | None:
    return min((moment for moment in due if moment is not None), default=None)


def _rule_of(failure: Exception) -> str:
    """How the machine or the database said no."""
    cause = failure.exceptions[0] if isinstance(failure, ExceptionGroup) else failure
    if isinstance(cause, IntegrityError):
        diagnosis = getattr(cause.__cause__, "diag", None)
        return f"the database refused: {getattr(diagnosis, 'constraint_name', None) or 'a rule'}"
    return f"the machine stopped: {type(cause).__name__}"


def _first_line(failure: Exception) -> str:
    cause = failure.exceptions[0] if isinstance(failure, ExceptionGroup) else failure
    return str(cause).split("\n", maxsplit=1)[0][:300]


def _limit(world: World, shop: SimulatedShop, chance: Random) -> None:
    staff.set_limit(world, shop.currency, chance)


_PLAYED: dict[ActKind, Callable[[World, SimulatedShop, Random], None]] = {
    ActKind.PAY_IN: marketplace.pay_in,
    ActKind.TRADE: marketplace.trade,
    ActKind.TROUBLE: marketplace.trouble,
    ActKind.LISTINGS: marketplace.list_goods,
    ActKind.APPLY: sellers.apply,
    ActKind.CARE: care.look_at,
    ActKind.DEDUCT: marketplace.deduct,
    ActKind.REQUIRE: marketplace.require,
    ActKind.LIMIT: _limit,
    ActKind.LEAVE: sellers.leave,
    ActKind.PAY_BY_CODE: payers.order,
    ActKind.HEARING: hearings.announce,
}
