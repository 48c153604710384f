"""Reads fields out of an untrusted document and collects every problem instead of the first."""

from __future__ import annotations

import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from kuaitui.kernel.money import EXPONENTS, MINOR_MAX
from kuaitui.policy.problems import PROBLEMS_MAX, Problem

_Choice = TypeVar("_Choice", bound=enum.StrEnum)
_Item = TypeVar("_Item")
Fields = Mapping[str, object]

ID_LENGTH_MAX: Final = 128
YEAR_FIRST: Final = 1990
YEAR_LAST: Final = 2199
# Controls, lone surrogates, unassigned, and the invisible ones that turn text around.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_EPOCH: Final = dt.datetime(YEAR_FIRST, 1, 1, tzinfo=dt.UTC)
_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_TYPE_NAMES: Final = {
    dict: ("an object", "对象"),
    list: ("a list", "列表"),
    str: ("text", "文本"),
    bool: ("true or false", "真假值"),
    int: ("a whole number", "整数"),
    float: ("a number with decimals", "小数"),
    type(None): ("null", "null"),
}


def shorten(value: object, limit: int = 60) -> str:
    """A value as a message may show it: short, on one line, printable."""
    text = "".join(c if c.isprintable() else "�" for c in str(value)[: limit + 1])
    return text if len(text) <= limit else text[:limit] + "…"


def _type_name(kind: type) -> tuple[str, str]:
    return _TYPE_NAMES.get(kind, (kind.__name__, kind.__name__))


class Reader:
    """One pass over one document. After it, `problems` says all that is wrong.

    A field that cannot be read yields a harmless stand-in so that reading goes on; whoever uses
    the reader must refuse the document if there are problems.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._uncounted = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems found so far, in the order of the document; a very long list is cut."""
        if not self._uncounted:
            return tuple(self._problems)
        return (*self._problems, Problem("…", "more", {"count": self._uncounted}))

    @property
    def is_clean(self) -> bool:
        """Nothing is wrong so far."""
        return not self._problems

    def report(self, path: str, kind: str, **details: object) -> None:
        """Note a problem."""
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(Problem(path, kind, details))
        else:
            self._uncounted += 1

    def fields(
        self, value: object, path: str, *, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Fields:
        """An object with exactly these fields."""
        if not isinstance(value, dict):
            self._wrong_type(path, dict, value)
            return {}
        for name in required:
            if name not in value:
                self.report(_join(path, name), "missing")
        known = {*required, *optional}
        for name in value:
            if name not in known:
                self.report(_join(path, shorten(name)), "unknown_field")
        return value

    def text(self, fields: Fields, name: str, path: str, *, length_max: int = ID_LENGTH_MAX) -> str:
        """A short printable text, not blank."""
        return (
            self.plain_text(fields[name], _join(path, name), length_max) if name in fields else ""
        )

    def plain_text(self, value: object, path: str, length_max: int = ID_LENGTH_MAX) -> str:
        """The same for a value that stands by itself."""
        if not isinstance(value, str):
            self._wrong_type(path, str, value)
        elif not value.strip():
            self.report(path, "empty")
        elif len(value) > length_max:
            self.report(path, "too_long", limit=length_max)
        elif not value.isprintable() and not _UNPRINTABLE.isdisjoint(
            map(unicodedata.category, value)
        ):
            self.report(path, "unprintable")
        else:
            return value
        return ""

    def count(
        self, fields: Fields, name: str, path: str, *, least: int = 0, most: int = MINOR_MAX
    ) -> int:
        """A whole number, by default not negative. `true` is no number."""
        if name not in fields:
            return least
        value, place = fields[name], _join(path, name)
        if type(value) is not int:
            self._wrong_type(place, int, value)
        elif value < least:
            self.report(place, "too_small", limit=least)
        elif value > most:
            self.report(place, "too_large", limit=most)
        else:
            return value
        return least

    def flag(self, fields: Fields, name: str, path: str, *, default: bool = False) -> bool:
        """True or false."""
        value = fields.get(name, default)
        if isinstance(value, bool):
            return value
        self._wrong_type(_join(path, name), bool, value)
        return default

    def choice(self, fields: Fields, name: str, path: str, choices: type[_Choice]) -> _Choice:
        """One of a closed list of words."""
        if name not in fields:
            return next(iter(choices))
        return self.plain_choice(fields[name], _join(path, name), choices)

    def plain_choice(self, value: object, path: str, choices: type[_Choice]) -> _Choice:
        """The same for a value that stands by itself."""
        if not isinstance(value, str):
            self._wrong_type(path, str, value)
            return next(iter(choices))
        try:
            return choices(value)
        except ValueError:
            self.report(path, "not_a_choice", found=shorten(value), choices=", ".join(choices))
            return next(iter(choices))

    def currency(self, fields: Fields, name: str, path: str) -> str:
        """An ISO 4217 code we keep books in."""
        value = self.text(fields, name, path)
        if value and value not in EXPONENTS:
            self.report(_join(path, name), "unknown_currency", found=shorten(value))
        return value if value in EXPONENTS else "CNY"

    def instant(self, fields: Fields, name: str, path: str) -> dt.datetime:
        """A moment with its offset."""
        if name not in fields:
            return _EPOCH
        return self._instant(fields[name], _join(path, name)) or _EPOCH

    def instant_or_none(self, fields: Fields, name: str, path: str) -> dt.datetime | None:
        """A moment with its offset, or null; an absent field is null."""
        value = fields.get(name)
        return None if value is None else self._instant(value, _join(path, name))

    def items(
        self,
        fields: Fields,
        name: str,
        path: str,
        read: Callable[[object, str], _Item],
        *,
        length_max: int,
    ) -> tuple[_Item, ...]:
        """A list, each item read by `read`; an absent list is empty."""
        if name not in fields:
            return ()
        value, place = fields[name], _join(path, name)
        if not isinstance(value, list):
            self._wrong_type(place, list, value)
            return ()
        if len(value) > length_max:
            self.report(place, "too_many", limit=length_max)
            return ()
        return tuple(read(item, f"{place}[{index}]") for index, item in enumerate(value))

    def not_before(
        self, later: dt.datetime | None, earlier: dt.datetime | None, place: str, other: str
    ) -> None:
        """`later` must not lie before `earlier`."""
        if later is not None and earlier is not None and later < earlier:
            self.report(place, "earlier_than", other=other)

    def unique(self, ids: Sequence[str], path: str) -> None:
        """No id occurs twice in a list."""
        seen: dict[str, int] = {}
        for index, value in enumerate(ids):
            if value and seen.setdefault(value, index) != index:
                other = f"{path}[{seen[value]}]"
                self.report(f"{path}[{index}].id", "duplicate", found=shorten(value), other=other)

    def at_most(self, total_minor: int, path: str) -> None:
        """A sum must fit where money is kept."""
        if total_minor > MINOR_MAX:
            self.report(path, "too_large", limit=MINOR_MAX)

    def _instant(self, value: object, path: str) -> dt.datetime | None:
        if not isinstance(value, str):
            self._wrong_type(path, str, value)
            return None
        kind, moment = read_instant(value)
        if kind:
            self.report(path, kind, first=YEAR_FIRST, last=YEAR_LAST)
        return moment

    def _wrong_type(self, path: str, expected: type, value: object) -> None:
        (want, want_zh), (found, found_zh) = _type_name(expected), _type_name(type(value))
        self.report(
            path, "wrong_type",
            expected=want, expected_zh=want_zh, found=found, found_zh=found_zh,
        )  # fmt: skip


def read_instant(text: str) -> tuple[str, dt.datetime | None]:
    """Read an ISO 8601 moment; the first part names what is wrong, or is empty."""
    match = _TIME.fullmatch(text)
    if match is None:
        return "unreadable_time", None
    if match[1] is None:
        return "naive_time", None
    try:
        moment = dt.datetime.fromisoformat(text.replace("z", "Z"))
    except ValueError:
        return "unreadable_time", None
    if not YEAR_FIRST <= moment.year <= YEAR_LAST:
        return "time_out_of_range", None
    return "", moment


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
