"""What the auditor looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kuaitui.simulation.channel_book import ChannelBook, Heard
from kuaitui.simulation.shops import Hearing, Reported

Ask: TypeAlias = Callable[..., list[tuple[Any, ...]]]
Found: TypeAlias = tuple[str, str]
"""What must be true, and what is true instead."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the world knows of one shop."""

    number: int
    currency: str
    reported: Reported
    accounts: Mapping[str, str]
    """Its owner's accounts by destination."""
    paid_in_minor: int
    deducted_minor: int
    """What was taken and stays so, when everything has come to its end."""
    hearings: Sequence[Hearing]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The world at one moment."""

    at: dt.datetime
    books: Mapping[str, ChannelBook]
    channel_times: Mapping[str, dt.datetime]
    shops: Mapping[str, Shown]
    """By deposit account."""
    heard: Mapping[str, Heard]
    """Notifications that were delivered, by channel."""
    attempts: int
    """How many calls workers have made."""
    wrongs: Sequence[str]
    """What people were let do though it is forbidden."""
    lost_numbers: Collection[str]
    """Numbers of legs that a restore took from us. The machine must come to each of them again."""
