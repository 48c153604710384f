"""Fields of JSON objects nobody has checked."""

from __future__ import annotations

import datetime as dt
import enum
import json
from collections.abc import Collection
from typing import TypeVar

from kuaitui.interfaces.cli.imports.rows import (
    CONTENT_CHARACTERS_MAX,
    RowRefused,
    parse_currency,
    parse_moment,
    parse_status,
)
from kuaitui.kernel.money import MINOR_MAX

Word = TypeVar("Word", bound=enum.StrEnum)
Ranked = TypeVar("Ranked", bound=enum.IntEnum)


class Fields:
    """The fields of one object; remembers which were asked for, so that others can be refused."""

    def __init__(self, told: dict[str, object], *, shop_id: str | None, currency: str) -> None:
        self._told = told
        self._shop_id = shop_id
        self._currency = currency
        self._known = {"shop_id", "report", "currency"}

    def shop_id(self) -> str:
        """The shop the whole file was said to be about, or the one named here."""
        return self.text("shop_id") if self._shop_id is None else self._shop_id

    def currency(self) -> str:
        """The currency named here, or that of the whole file."""
        return parse_currency(self.text("currency", self._currency))

    def text(self, name: str, default: str | None = None) -> str:
        """A text, or a whole number written as text."""
        self._known.add(name)
        if default is not None and name not in self._told:
            return default
        return text_of(self._told, name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; none when it is absent."""
        self._known.add(name)
        value = self._told.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RowRefused(f"{name} is not a list of texts")
        return tuple(value)

    def status(self) -> int:
        """The status of an order."""
        return parse_status(self.text("status"))

    def moment(self, name: str) -> dt.datetime:
        """An instant with its offset."""
        return parse_moment(self.text(name), name)

    def moment_if_any(self, name: str) -> dt.datetime | None:
        """The same, or nothing where it is absent or null."""
        self._known.add(name)
        return None if self._told.get(name) is None else self.moment(name)

    def minor_units(self, name: str) -> int:
        """A whole number, not negative."""
        self._known.add(name)
        return minor_units(self._told, name)

    def one_of(self, words: type[Word], name: str) -> Word:
        """One of our words."""
        try:
            return words(self.text(name))
        except ValueError:
            raise self._unknown(name, [word.value for word in words]) from None

    def ranked(self, words: type[Ranked], name: str) -> Ranked:
        """One of our words that have a rank."""
        by_word = {word.name.lower(): word for word in words}
        found = by_word.get(self.text(name))
        if found is None:
            raise self._unknown(name, list(by_word))
        return found

    def require_all_known(self) -> None:
        """Refuse an object with a field nobody asked for: it may be a slip of the pen."""
        unknown = sorted(self._told.keys() - self._known)
        if unknown:
            raise RowRefused(f"the field {unknown[0][:40]!r} is unknown")

    def _unknown(self, name: str, known: list[str]) -> RowRefused:
        return RowRefused(
            f"the {name} {self.text(name)[:40]!r} is unknown; known are {', '.join(known)}"
        )


def object_of(value: object) -> dict[str, object]:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise RowRefused("it is not a JSON object")
    return value


def text_of(told: dict[str, object], name: str) -> str:
    """A text, or a whole number written as text."""
    value = told.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowRefused(f"{name} is missing" if value is None else f"{name} is not a text")


def minor_units(told: dict[str, object], name: str) -> int:
    """A whole number of minor units, not negative."""
    value = told.get(name)
    if value is None:
        raise RowRefused(f"{name} is missing")
    if not isinstance(value, int) or isinstance(value, bool):
        raise RowRefused(
            f"{name} {_shown(value)} is not a whole number of minor units (fen, cents)"
        )
    if value < 0:
        raise RowRefused(f"{name} {_shown(value)} is negative")
    if value > MINOR_MAX:
        raise RowRefused(f"{name} {_shown(value)} is larger than this system can hold")
    return value


def content_of_object(value: object, names: Collection[str] | None = None) -> str:
    """A refused object, or the named fields of it where others may be about people."""
    if not isinstance(value, dict):
        return ""
    kept = {name: value[name] for name in value if names is None or name in names}
    return json.dumps(kept, ensure_ascii=False)[:CONTENT_CHARACTERS_MAX]


def _shown(value: object) -> str:
    return repr(value)[:40]
