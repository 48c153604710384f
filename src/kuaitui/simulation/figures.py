"""What a simulation did, counted, and what it found."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must be true and was not. The first one ends a history."""

    rule: str
    """What must be true, or how the machine or the database said that it was not."""
    text: str
    at: dt.datetime
    act: str
    """What was being done."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.text} (at {self.at:%Y-%m-%d %H:%M}, {self.act})"


@dataclass(slots=True)
class Figures:
    """What happened in one history, or in many."""

    years: float = 0.0
    shops: int = 0
    histories: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    journals: Counter[str] = field(default_factory=Counter)
    notifications: int = 0
    payments: int = 0
    """Made at the channels' tills, by code."""
    attempts: int = 0
    clock_jumps: int = 0
    restores: int = 0
    audits: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Count another history in."""
        self.years += other.years
        self.shops += other.shops
        self.histories += other.histories
        self.notifications += other.notifications
        self.payments += other.payments
        self.attempts += other.attempts
        self.clock_jumps += other.clock_jumps
        self.restores += other.restores
        self.audits += other.audits
        self.seconds += other.seconds
        self.acts += other.acts
        self.faults += other.faults
        self.crashes += other.crashes
        self.refusals += other.refusals
        self.journals += other.journals
        self.findings += other.findings

    def to_json(self) -> dict[str, object]:
        """The figures as plain values."""
        return {
            "years": round(self.years, 2),
            "histories": self.histories,
            "shops": self.shops,
            "seconds": round(self.seconds, 2),
            "money_operations": self.journals.total(),
            "money_operations_by_kind": dict(sorted(self.journals.items())),
            "acts": {str(kind): count for kind, count in sorted(self.acts.items())},
            "attempts": self.attempts,
            "notifications": self.notifications,
            "payments": self.payments,
            "faults": {str(kind): count for kind, count in sorted(self.faults.items())},
            "crashes": self.crashes.total(),
            "crashes_by_place": dict(sorted(self.crashes.items())),
            "clock_jumps": self.clock_jumps,
            "restores": self.restores,
            "refusals": dict(sorted(self.refusals.items())),
            "audits": self.audits,
            "findings": [str(finding) for finding in self.findings],
        }
