"""Conditions as they were and as they are, and what each points at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import get_language

from kuaitui.interfaces.console import words
from kuaitui.kernel.money import Money

EXHIBITS_MAX: Final = 8
_LISTS: Final = {
    "order": "orders",
    "after_sale": "after_sales",
    "dispute": "disputes",
    "violation": "violations",
    "restriction": "restrictions",
    "debt": "debts",
}
_SINCE: Final = ("status_at", "opened_at", "occurred_at", "from")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence: its kind and id, its status, since when, how much."""

    kind: str
    id: str
    status: str = ""
    since: dt.datetime | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One condition at one moment: met or not, and until when."""

    passed: bool
    clears_on: dt.date | None
    evidence: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition when the seller applied, and now."""

    code: str
    title: str | Promise
    message: str
    clause: str
    confidence: str
    then: Answer | None
    now: Answer | None
    exhibits: tuple[Exhibit, ...]
    more: int

    @property
    def is_changed(self) -> bool:
        """Whether the answer or what it rests on is another now."""
        return self.then != self.now

    @property
    def is_met(self) -> bool:
        """Whether the newest answer is yes."""
        newest = self.now or self.then
        return newest is not None and newest.passed


def conditions(
    then: Mapping[str, Any] | None, now: Mapping[str, Any], facts: Mapping[str, Any]
) -> list[Condition]:
    """Every condition of two assessments (as FACTS.md writes them), those not met first."""
    before = {finding["code"]: finding for finding in (then or now)["findings"]}
    after = {finding["code"]: finding for finding in now["findings"]}
    both = [_condition(before.get(code), after.get(code), facts) for code in {**after, **before}]
    return sorted(both, key=lambda condition: condition.is_met)


def _condition(
    then: Mapping[str, Any] | None, now: Mapping[str, Any] | None, facts: Mapping[str, Any]
) -> Condition:
    shown = now or then or {}
    language = "zh" if (get_language() or "zh").startswith("zh") else "en"
    evidence = shown["evidence"]
    return Condition(
        code=shown["code"],
        title=words.CONDITIONS.get(shown["code"], shown["message"][language]),
        message=shown["message"][language],
        clause=shown["clause"],
        confidence=shown["confidence"],
        then=_answer(then),
        now=_answer(now),
        exhibits=tuple(_exhibit(item, facts) for item in evidence[:EXHIBITS_MAX]),
        more=max(len(evidence) - EXHIBITS_MAX, 0),
    )


def _answer(finding: Mapping[str, Any] | None) -> Answer | None:
    if finding is None:
        return None
    clears_on = finding["clears_on"]
    return Answer(
        passed=finding["passed"],
        clears_on=dt.date.fromisoformat(clears_on) if clears_on else None,
        evidence=frozenset((item["kind"], item["id"]) for item in finding["evidence"]),
    )


def _exhibit(item: Mapping[str, str], facts: Mapping[str, Any]) -> Exhibit:
    listed: Iterable[Mapping[str, Any]] = facts.get(_LISTS.get(item["kind"], ""), ())
    fact = next((fact for fact in listed if fact["id"] == item["id"]), None)
    if fact is None:
        return Exhibit(item["kind"], item["id"])
    since = next((fact[name] for name in _SINCE if fact.get(name)), None)
    minor = fact.get("amount_minor")
    return Exhibit(
        kind=item["kind"],
        id=item["id"],
        status=fact.get("status") or fact.get("kind", ""),
        since=dt.datetime.fromisoformat(since) if since else None,
        amount=None if minor is None else Money(minor, facts["deposit"]["currency"]),
    )
