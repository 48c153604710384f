"""What the auditor is shown besides the tables: the channels' books and what the world knows."""

from __future__ import annotations

from kuaitui.simulation.auditor import Evidence, Shown
from kuaitui.simulation.world import World


def gather_evidence(world: World) -> Evidence:
    """The world as it is now."""
    return Evidence(
        at=world.clock.at,
        books={name: channel.book for name, channel in world.model_channels.items()},
        channel_times={name: channel.now for name, channel in world.model_channels.items()},
        shops={
            shop.account_id: Shown(
                number=shop.number,
                currency=shop.currency,
                reported=shop.reported,
                accounts=shop.destinations,
                paid_in_minor=shop.paid_in_minor,
                deducted_minor=shop.deducted_minor
                - sum(hearing.granted_by_time_minor for hearing in shop.hearings.values()),
                hearings=tuple(shop.hearings.values()),
            )
            for shop in world.shops.values()
        },
        heard=world.heard,
        attempts=world.figures.attempts,
        wrongs=tuple(world.wrongs),
        lost_numbers=frozenset(world.lost_numbers),
    )
