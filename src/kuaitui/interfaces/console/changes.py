"""Facts that changed since an application, written as people read them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from kuaitui.interfaces.console import words
from kuaitui.kernel.money import Money
from kuaitui.refunds.types import Difference

CHANGES_MAX: Final = 60
_NOTHING: Final = "—"
_NOT_SHOWN: Final = frozenset({"id", "order_id"})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a reported value; one of the three says what it is."""

    word: str | Promise = ""
    amount: Money | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that is not what it was."""

    label: str
    id: str
    then: tuple[Part, ...]
    now: tuple[Part, ...]


def changes(differences: Sequence[Difference], currency: str) -> list[Change]:
    """The first of them in plain words; a case with more has changed beyond comparing."""
    return [_change(difference, currency) for difference in differences[:CHANGES_MAX]]


def _change(difference: Difference, currency: str) -> Change:
    where, _dot, rest = difference.path.partition(".")
    if where == "deposit" and rest.startswith("lots."):
        where, rest = "lots", rest.removeprefix("lots.")
    if where in words.FACT_LISTS:
        # Ids may hold dots themselves; a field's name never does.
        id_, _dot, field = rest.rpartition(".")
        if not id_ or field not in words.FACT_FIELDS:
            id_, field = rest, ""
        return _written([words.FACT_LISTS[where]], id_, field, difference, currency)
    return _written([], "", rest or where, difference, currency)


def _written(
    begin: list[str | Promise], id_: str, field: str, difference: Difference, currency: str
) -> Change:
    label = [*begin, words.FACT_FIELDS.get(field, field)] if field else begin
    return Change(
        label=" · ".join(map(str, label)),
        id=id_,
        then=_value(field, difference.then, currency),
        now=_value(field, difference.now, currency),
    )


def _value(field: str, value: object, currency: str) -> tuple[Part, ...]:
    if isinstance(value, Mapping):
        return tuple(
            part
            for name, item in value.items()
            if item is not None and name not in _NOT_SHOWN
            for part in _value(name, item, currency)
        )
    if value is None:
        return (Part(_NOTHING),)
    if field.endswith("_minor") and isinstance(value, int):
        return (Part(amount=Money(value, currency)),)
    if field in words.FACT_TIMES and isinstance(value, str):
        return (Part(at=dt.datetime.fromisoformat(value)),)
    if isinstance(value, list):
        return (Part(_("%(count)d entries") % {"count": len(value)}),)
    return (Part(words.FACTS.get(str(value), str(value))),)
