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
class Hearing:
    """A deduction that was announced, as the people who deal with it remember it."""

    case_id: str
    items: tuple[int, ...]
    """What each item comes to, in minor units; the first has the number one."""
    announced_by: str
    announced_at: dt.datetime
    replied_at: dt.datetime | None = None
    taken: frozenset[int] = frozenset()
    taken_by: str = ""
    appealed_at: dt.datetime | None = None
    is_answered: bool = False
    given_back: frozenset[int] = frozenset()

    @property
    def granted_by_time_minor(self) -> int:
        """What comes back because nobody answers an appeal, once its time is over."""
        is_unanswered = self.appealed_at is not None and not self.is_answered
        return self.sum_of(self.taken) if is_unanswered else 0

    def sum_of(self, numbers: frozenset[int]) -> int:
        """What these items come to."""
        return sum(self.items[number - 1] for number in numbers)


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
    """What people took and did not give back."""
    hearings: dict[str, Hearing] = field(default_factory=dict)
    """By their cases."""
