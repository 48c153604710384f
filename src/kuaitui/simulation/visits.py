"""Who comes back, to a shop or to an order, and what for."""

from __future__ import annotations

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody comes back to a shop: to act on what is open, or to ask for everything."""

    shop: int
    asks_for_all: bool = False


class Step(enum.StrEnum):
    """What a payer comes to do."""

    PAY = "pay"
    PAY_ANOTHER_AMOUNT = "pay another amount"
    PAY_ANYHOW = "pay again, or though it is over"
    CALL_OFF = "call off"


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody who comes back to an order."""

    shop: int
    order_id: str
    channel: str
    step: Step

    def __str__(self) -> str:
        return f"a payer of shop {self.shop} comes to {self.step}"
