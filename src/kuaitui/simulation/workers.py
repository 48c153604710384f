"""The machine at work: several logical workers that run the same operations as `interfaces.worker`.

One of them runs at a time, but not to its end: inside a channel's call, and wherever no transaction
is open, the next one may get its turn, for a moment or for longer than a lease.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import TypeAlias

from kuaitui.channels.port import NotificationRefused, NotificationSubject
from kuaitui.deductions.operations import sweep_due as sweep_due_deductions
from kuaitui.deposits.operations import ask_about_stray, carry_out_pay_in, note_pay_in_hint
from kuaitui.deposits.queries import due_pay_ins, due_strays
from kuaitui.kit import inbox, outbox
from kuaitui.payouts.operations import (
    call_channel,
    carry_out_leg,
    carry_out_send_back,
    claim_legs,
    hold_if_restored,
    note_hint,
    note_sends,
    record_calls,
)
from kuaitui.payouts.queries import LastSend, due_legs, due_send_backs
from kuaitui.payouts.types import ALL_CHANNELS, Pace
from kuaitui.refunds.operations import sweep_due
from kuaitui.simulation import payers
from kuaitui.simulation.crashes import SimulatedCrash
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.telling import Told
from kuaitui.simulation.world import World, ask, tell

# The standard lease and deadline; rarer looks at what takes days, which would be most of the work.
PACE = Pace(
    check_delays=tuple(dt.timedelta(minutes=minutes) for minutes in (1, 1, 5, 30, 240, 1440)),
    paid_check_every=dt.timedelta(days=31),
)
NESTING_MAX = 2
MANY_AT_ONCE = 0.4
Due: TypeAlias = tuple[dt.datetime | None, ...]
MOMENTS_MAX = 12
# When the machine must be looked at next: legs, news, dates of applications, orders to pay in,
# numbers that are not ours, payments that go back, deductions that wait.
_NEXT_DUE = """
SELECT
    (SELECT min(GREATEST(leg.next_check_at, leg.lease_until)) FROM payouts_leg AS leg
        WHERE leg.next_check_at IS NOT NULL AND leg.set_aside_at IS NULL
        AND NOT (leg.state = 'ready'
            -- What must be asked about first is due though sending is stopped or on hold.
            AND COALESCE(leg.clear_since >= (SELECT max(begun_at) FROM payouts_hold),
                NOT EXISTS (SELECT 1 FROM payouts_hold))
            AND (EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
                OR EXISTS (SELECT 1 FROM payouts_channel_switch AS switch
                    WHERE switch.is_stopped AND switch.channel IN (leg.channel, %s))))),
    (SELECT min(deliver_after) FROM kit_outbox WHERE delivered_at IS NULL),
    (SELECT min(due_at) FROM refunds_application
        WHERE state IN ('draft', 'more_information', 'rejected', 'approved')),
    (SELECT min(GREATEST(next_check_at, lease_until)) FROM deposits_pay_in_order
        WHERE next_check_at IS NOT NULL AND set_aside_at IS NULL),
    (SELECT min(next_check_at) FROM deposits_stray_number),
    (SELECT min(GREATEST(back.next_check_at, back.lease_until)) FROM payouts_send_back AS back
        WHERE back.next_check_at IS NOT NULL AND back.set_aside_at IS NULL
        AND NOT (back.state = 'ready'
            AND COALESCE(back.clear_since >= (SELECT max(begun_at) FROM payouts_hold),
                NOT EXISTS (SELECT 1 FROM payouts_hold))
            AND (EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
                OR EXISTS (SELECT 1 FROM payouts_channel_switch AS switch
                    WHERE switch.is_stopped AND switch.channel IN (back.channel, %s))))),
    (SELECT min(CASE state WHEN 'announced' THEN LEAST(lapses_at, remind_at) ELSE answer_lapses_at END)
        FROM deductions_case WHERE state IN ('announced', 'appealed'))
"""

# What the tables look like when a worker ended between the handler's commit and its note.
_UNNOTE = """
UPDATE kit_outbox SET delivered_at = NULL, deliver_after = %s
WHERE id = (SELECT id FROM kit_outbox WHERE delivered_at IS NOT NULL
    ORDER BY delivered_at DESC, id LIMIT 1)
"""


class Workers:
    """All workers of the installation."""

    def __init__(self, world: World, many: Random) -> None:
        self._world = world
        self._many = many
        self._depth = 0
        self._seen: list[str] = []

    def start(self) -> None:
        """Worker processes come up: they look whether the database is the one that sent last."""
        self._seen = []
        self._look_for_a_restore()

    def next_due(self) -> Due:
        """When what falls due by our clock, in the order of `_NEXT_DUE`."""
        return ask(_NEXT_DUE, ALL_CHANNELS, ALL_CHANNELS)[0]

    def take_turn(self, due: Due) -> None:
        """One worker does some of what is due, and may die of it."""
        world, chance = self._world, self._world.chance
        if world.weather.strikes(Fault.CRASH, world.clock.at, chance):
            world.crashes.arm(moments=chance.randrange(MOMENTS_MAX))
        try:
            self._work(chance, due)
        except SimulatedCrash:
            world.clock.pass_by(dt.timedelta(seconds=chance.uniform(0, 20)))
        finally:
            world.crashes.disarm()

    def see_what_is_due(self) -> None:
        """All news is delivered, and a worker takes note of the legs whose turn has come."""
        for _ in range(3):
            outbox.deliver_due(now=self._world.now)
        self._seen = due_legs(now=self._world.now, limit=5)

    def carry_out_what_was_seen(self) -> None:
        """The worker comes to what it took note of."""
        for leg_id in self._seen:
            self._carry_out(leg_id)

    def hear(self, told: Told) -> None:
        """A notification came, as it comes in at the door: proven, written down, then a hint."""
        world, now = self._world, self._world.now
        world.figures.notifications += 1
        read = world.model_channels[told.channel].read_notification(
            told.headers, told.body, now=now
        )
        if isinstance(read, NotificationRefused):
            world.heard[told.channel].refused += 1
            inbox.note_refused(
                channel=told.channel, reason=read.reason.value, body=told.body, now=now
            )
            return
        world.heard[told.channel].genuine += 1
        world.heard[told.channel].events.add(read.event_id)
        is_due = inbox.receive(
            channel=told.channel,
            event_id=read.event_id,
            subject=read.subject.value,
            number=read.number,
            body=told.body,
            now=now,
        )
        if is_due:
            match read.subject:
                case NotificationSubject.PAYOUT:
                    note_hint(channel=told.channel, number=read.number, now=now)
                case NotificationSubject.PAY_IN:
                    note_pay_in_hint(channel=told.channel, number=read.number, now=now)
            inbox.note_taken(channel=told.channel, event_id=read.event_id, now=now)

    def during_a_call(self) -> None:
        """A channel takes its time; others work meanwhile."""
        self._world.clock.pass_by(dt.timedelta(seconds=self._world.chance.expovariate(1.0)))
        self._interlude()

    def at_moment(self, name: str) -> None:
        """A worker has come to a point outside of any transaction. It may stand still there."""
        world, chance = self._world, self._world.chance
        if name.startswith(("payouts.", "pay_ins.", "send_backs.")) and world.weather.strikes(
            Fault.SLEPT, world.clock.at, chance
        ):
            world.figures.faults[Fault.SLEPT] += 1
            world.clock.pass_by(PACE.lease * chance.uniform(0.2, 3.0))
            self._interlude(always=True)

    def _interlude(self, *, always: bool = False) -> None:
        """Another worker's turn, while this one waits."""
        if self._depth >= NESTING_MAX or not (always or self._world.chance.random() < 0.05):
            return
        self._depth += 1
        try:
            self.take_turn(self.next_due())
        finally:
            self._depth -= 1

    def _work(self, chance: Random, due: Due) -> None:
        world = self._world
        turns = (
            self._pay,
            self._deliver,
            self._sweep,
            self._collect,
            self._ask_about_strays,
            self._send_back,
            self._sweep_deductions,
        )
        kinds = [
            turn
            for turn, moment in zip(turns, due, strict=True)
            if moment is not None and moment <= world.now
        ]
        if kinds:
            chance.choice(kinds)(chance)

    def _pay(self, chance: Random) -> None:
        world = self._world
        # What a worker saw to be due may no longer be when it comes to it.
        seen_before, self._seen = self._seen, due_legs(now=world.now, limit=5)
        due = seen_before if seen_before and chance.random() < 0.2 else self._seen
        if not due:
            return
        chosen = chance.choice(due)
        if self._many.random() < MANY_AT_ONCE:
            self._carry_out_many([chosen, *(leg_id for leg_id in due if leg_id != chosen)])
        else:
            self._carry_out(chosen)

    def _carry_out(self, leg_id: str) -> None:
        world = self._world
        world.figures.attempts += 1
        carry_out_leg(
            leg_id=leg_id,
            channels=world.channels,
            pace=PACE,
            clock=world.clock.read,
            note_send=self._note_send,
        )

    def _carry_out_many(self, leg_ids: list[str]) -> None:
        """As a worker with free hands does: claimed together, called one by one, recorded together."""
        world, channels, clock = self._world, self._world.channels, self._world.clock.read
        world.figures.attempts += 1
        claimed = claim_legs(
            leg_ids=leg_ids,
            pace=PACE,
            now=world.now,
            interval_of=lambda name: channels.get(name).capabilities.refund_interval,
            room=len(leg_ids),
        )
        if claimed.claims:
            note_sends(claimed.claims, note_send=self._note_send)
            called = [
                call_channel(claim, channel=channels.get(claim.channel), pace=PACE, clock=clock)
                for claim in claimed.claims
            ]
            record_calls(called, pace=PACE, clock=clock)
        for leg_id in claimed.alone:
            self._carry_out(leg_id)

    def _collect(self, chance: Random) -> None:
        """Open an order at its channel, ask about it, or close it."""
        world = self._world
        due = due_pay_ins(now=world.now, limit=5)
        if due:
            carry_out_pay_in(
                order_id=chance.choice(due),
                channels=world.channels,
                pace=payers.PACE,
                clock=world.clock.read,
            )

    def _ask_about_strays(self, chance: Random) -> None:
        """Ask about a number that is not ours."""
        world = self._world
        strays = due_strays(now=world.now)
        if strays:
            channel, number = chance.choice(strays)
            ask_about_stray(
                channel=channel,
                number=number,
                channels=world.channels,
                pace=payers.PACE,
                clock=world.clock.read,
            )

    def _send_back(self, chance: Random) -> None:
        """Send a payment that has no place here back to its payer, or ask about it."""
        world = self._world
        due = due_send_backs(now=world.now, limit=5)
        if due:
            carry_out_send_back(
                send_back_id=chance.choice(due),
                channels=world.channels,
                pace=PACE,
                clock=world.clock.read,
                note_send=self._note_send,
            )

    def _note_send(self, send: LastSend) -> None:
        """Keep it where no restore of the database reaches."""
        self._world.last_send = send

    def _look_for_a_restore(self) -> None:
        hold_if_restored(last_send=self._world.last_send, now=self._world.now)

    def _deliver(self, chance: Random) -> None:
        world = self._world
        outbox.deliver_due(now=world.now, limit=chance.choice([1, 100, 100]))
        if world.weather.strikes(Fault.HEARD_TWICE, world.clock.at, chance):
            world.figures.faults[Fault.HEARD_TWICE] += 1
            tell(_UNNOTE, world.now)

    def _sweep(self, chance: Random) -> None:
        sweep_due(now=self._world.now, limit=chance.choice([1, 100]))

    def _sweep_deductions(self, chance: Random) -> None:
        sweep_due_deductions(now=self._world.now, limit=chance.choice([1, 100]))
