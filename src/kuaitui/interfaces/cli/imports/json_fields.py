"""Fields of JSON objects nobody has checked."""

from __future__ import annotations

import json
from collections.abc import Collection

from kuaitui.interfaces.cli.imports.rows import CONTENT_CHARACTERS_MAX, RowRefused
from kuaitui.kernel.money import MINOR_MAX


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


def content_of_object(value: object, names: Collection[str]) -> str:
    """The named fields of a refused object, and no others: they may be about people."""
    if not isinstance(value, dict):
        return ""
    kept = {name: value[name] for name in sorted(value.keys() & set(names))}
    return json.dumps(kept, ensure_ascii=False)[:CONTENT_CHARACTERS_MAX]


def _shown(value: object) -> str:
    return repr(value)[:40]
