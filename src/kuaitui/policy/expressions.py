"""A small language for conditions: each expression can be evaluated here and written as SQL.

Both readings follow the same rules: a comparison with nothing is never made (guard it with
`IsNull`), `Greatest` and `Least` skip nothings, a date of nothing is nothing.
"""

# ruff: noqa: ARG002, D102 - what `evaluate` and `sql` do and receive is said once, in `Expression`

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any as Anything
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from kuaitui.kernel.invariants import ensure
from kuaitui.policy.calendar import add_working_days
from kuaitui.policy.measures import FOREVER
from kuaitui.policy.terms import DayUnit, Period

Value = int | str | bool | dt.datetime | dt.date | None
Row = Mapping[str, Value]

# Nobody plans a closing or an expulsion further ahead; beyond, working days are not tabulated.
HORIZON: Final = dt.timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment of an assessment, in the marketplace's zone."""

    as_of: dt.datetime
    zone: ZoneInfo

    @property
    def today(self) -> dt.date:
        """The date of that moment in the marketplace's zone."""
        return self.as_of.astimezone(self.zone).date()


class Expression(Protocol):
    """Something that has a value in a row of measures, here and in the database."""

    def evaluate(self, row: Row, moment: Moment) -> Value:
        """Its value in this row."""

    def sql(self, moment: Moment) -> str:
        """The same as SQL over the columns of the row; text made here only, never a person's."""


@dataclass(frozen=True, slots=True)
class Column:
    """A measure."""

    name: str

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return row[self.name]

    def sql(self, moment: Moment) -> str:
        ensure(self.name.isidentifier() and self.name.isascii(), "a column has a plain name")
        return self.name


@dataclass(frozen=True, slots=True)
class Literal:
    """A fixed value."""

    value: int | str | bool | dt.date | None

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return self.value

    def sql(self, moment: Moment) -> str:
        match self.value:
            case None:
                return "NULL::date"
            case bool():
                return "true" if self.value else "false"
            case int():
                return f"{self.value}::bigint"
            case dt.date():
                return f"DATE '{self.value.isoformat()}'"
            case str():
                ensure(self.value.replace("_", "").isalnum(), "a literal text is one plain word")
                return f"'{self.value}'"


@dataclass(frozen=True, slots=True)
class AsOf:
    """The moment of the assessment."""

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return moment.as_of

    def sql(self, moment: Moment) -> str:
        return f"TIMESTAMPTZ '{moment.as_of.isoformat()}'"


@dataclass(frozen=True, slots=True)
class Today:
    """The date of the assessment."""

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return moment.today

    def sql(self, moment: Moment) -> str:
        return Literal(moment.today).sql(moment)


_COMPARISONS: Final[dict[str, Callable[[Anything, Anything], bool]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values compared; neither may be nothing."""

    left: Expression
    sign: str
    right: Expression

    def evaluate(self, row: Row, moment: Moment) -> Value:
        left, right = self.left.evaluate(row, moment), self.right.evaluate(row, moment)
        ensure(left is not None and right is not None, "a comparison has two sides")
        return _COMPARISONS[self.sign](left, right)

    def sql(self, moment: Moment) -> str:
        ensure(self.sign in _COMPARISONS, "a comparison is one of six")
        return f"{self.left.sql(moment)} {self.sign} {self.right.sql(moment)}"


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether there is nothing."""

    operand: Expression

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return self.operand.evaluate(row, moment) is None

    def sql(self, moment: Moment) -> str:
        return f"({self.operand.sql(moment)}) IS NULL"


class _Joined:
    """`All` and `Any` share their shape; they stop at the first part that decides."""

    word: str
    decides: bool
    __slots__ = ("parts",)

    def __init__(self, *parts: Expression) -> None:
        self.parts = parts

    def evaluate(self, row: Row, moment: Moment) -> Value:
        for part in self.parts:
            if bool(part.evaluate(row, moment)) is self.decides:
                return self.decides
        return not self.decides

    def sql(self, moment: Moment) -> str:
        if not self.parts:
            return "false" if self.decides else "true"
        return "(" + f" {self.word} ".join(f"({part.sql(moment)})" for part in self.parts) + ")"


class All(_Joined):
    """True if every part is true."""

    word = "AND"
    decides = False
    __slots__ = ()


class Any(_Joined):
    """True if some part is true."""

    word = "OR"
    decides = True
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    operand: Expression

    def evaluate(self, row: Row, moment: Moment) -> Value:
        return not self.operand.evaluate(row, moment)

    def sql(self, moment: Moment) -> str:
        return f"NOT ({self.operand.sql(moment)})"


@dataclass(frozen=True, slots=True)
class When:
    """A value under a condition, else another."""

    condition: Expression
    value: Expression
    otherwise: Expression = Literal(None)

    def evaluate(self, row: Row, moment: Moment) -> Value:
        chosen = self.value if self.condition.evaluate(row, moment) else self.otherwise
        return chosen.evaluate(row, moment)

    def sql(self, moment: Moment) -> str:
        condition, value = self.condition.sql(moment), self.value.sql(moment)
        return f"CASE WHEN {condition} THEN {value} ELSE {self.otherwise.sql(moment)} END"


class _Extreme:
    """`Greatest` and `Least` share their shape; they skip nothings as PostgreSQL does."""

    word: str
    choose: Callable[..., Value]
    __slots__ = ("parts",)

    def __init__(self, *parts: Expression) -> None:
        self.parts = parts

    def evaluate(self, row: Row, moment: Moment) -> Value:
        values = [part.evaluate(row, moment) for part in self.parts]
        return type(self).choose((value for value in values if value is not None), default=None)

    def sql(self, moment: Moment) -> str:
        if not self.parts:
            return "NULL::date"
        return f"{self.word}({', '.join(part.sql(moment) for part in self.parts)})"


class Greatest(_Extreme):
    """The greatest of its parts; nothing if all are."""

    word = "GREATEST"
    choose = staticmethod(max)
    __slots__ = ()


class Least(_Extreme):
    """The least of its parts; nothing if all are."""

    word = "LEAST"
    choose = staticmethod(min)
    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Less:
    """One number less others."""

    left: Expression
    right: Expression

    def evaluate(self, row: Row, moment: Moment) -> Value:
        left, right = self.left.evaluate(row, moment), self.right.evaluate(row, moment)
        assert isinstance(left, int)
        assert isinstance(right, int)
        return left - right

    def sql(self, moment: Moment) -> str:
        return f"({self.left.sql(moment)} - {self.right.sql(moment)})"


@dataclass(frozen=True, slots=True)
class DateOf:
    """The date of an instant in the marketplace's zone; nothing and forever have none."""

    instant: Expression

    def evaluate(self, row: Row, moment: Moment) -> Value:
        value = self.instant.evaluate(row, moment)
        if not isinstance(value, dt.datetime) or value == FOREVER:
            return None
        return value.astimezone(moment.zone).date()

    def sql(self, moment: Moment) -> str:
        instant = self.instant.sql(moment)
        local = f"(NULLIF({instant}, 'infinity') AT TIME ZONE '{moment.zone.key}')::date"
        return f"({local})"


@dataclass(frozen=True, slots=True)
class After:
    """The date on which a period, begun on a date, is over."""

    start: Expression
    period: Period

    def evaluate(self, row: Row, moment: Moment) -> Value:
        start = self.start.evaluate(row, moment)
        if start is None:
            return None
        assert isinstance(start, dt.date)
        if start > moment.today + HORIZON:
            return None
        return self.period.after(start)

    def sql(self, moment: Moment) -> str:
        start = self.start.sql(moment)
        last = Literal(moment.today + HORIZON).sql(moment)
        if self.period.unit is DayUnit.NATURAL_DAYS:
            return f"CASE WHEN {start} <= {last} THEN {start} + {self.period.count} END"
        first_on, lengths = _working_day_lengths(moment.today, self.period)
        first = Literal(first_on).sql(moment)
        table = f"('{{{','.join(map(str, lengths))}}}'::int[])"
        # Before `first` the period is long over, so that its exact end is of no consequence.
        return (
            f"CASE WHEN {start} < {first} THEN {start} "
            f"WHEN {start} <= {last} THEN {start} + {table}[{start} - {first} + 1] END"
        )


@cache
def _working_day_lengths(today: dt.date, period: Period) -> tuple[dt.date, tuple[int, ...]]:
    """How many natural days the period lasts from each date on which it may still be running."""
    first = today
    while period.count and add_working_days(first - dt.timedelta(days=1), period.count) > today:
        first -= dt.timedelta(days=1)
    starts = [first + dt.timedelta(days=i) for i in range((today + HORIZON - first).days + 1)]
    return first, tuple((period.after(start) - start).days for start in starts)
