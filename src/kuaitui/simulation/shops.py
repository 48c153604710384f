"""The shops of a history, and what is true of them in the marketplace."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from kuaitui.kernel.actor import Actor


@dataclass(slots=True)
class Spell:
    """Something that was so from one moment to another: an open order, a dispute, a debt."""

    kind: str
    name: str
    from_at: dt.datetime
    until: dt.datetime | None = None

    def is_open(self, at: dt.datetime) -> bool:
        """Whether it was still so."""
        return self.until is None or self.until > at


@dataclass(slots=True)
class Reported:
    """What the marketplace has told us of a shop, as simply as it can be kept."""

    spells: list[Spell] = field(default_factory=list)
    completions: list[dt.datetime] = field(default_factory=list)
    listings: int = 0
    closing_notice_at: dt.datetime | None = None

    def open_kinds(self, at: dt.datetime) -> set[str]:
        """What sorts of things are open."""
        return {spell.kind for spell in self.spells if spell.is_open(at)}


@dataclass(slots=True)
class SimulatedShop:
    """One shop with its owner, as the people around it know it."""

    number: int
    shop_id: str
    shop_key: int
    currency: str
    channel: str
    seller: Actor
    account_id: str
    reported: Reported = field(default_factory=Reported)
    destinations: dict[str, str] = field(default_factory=dict)
    """The owner's accounts by the id of the destination."""
    numbers_used: int = 0
    paid_in_minor: int = 0
    deducted_minor: int = 0
