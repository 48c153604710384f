"""What people read about a finding, in both languages, from `data/texts.toml`."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

from kuaitui.kernel.money import Money
from kuaitui.policy.terms import Provenance
from kuaitui.policy.types import Text

IDS_SHOWN_MAX: Final = 3
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_SIGNS: Final = {"CNY": "¥"}


@cache
def _texts() -> Mapping[str, Mapping[str, Text]]:
    raw = resources.files("kuaitui.policy").joinpath("data/texts.toml").read_text("utf-8")
    return {
        section: {name: Text(**words) for name, words in entries.items()}
        for section, entries in tomllib.loads(raw).items()
    }


def text_of(section: str, name: str, **details: Text | str | int) -> Text:
    """One text with its details filled in."""
    template = _texts()[section][name]
    return Text(
        template.zh.format(**{key: _plain(value, "zh") for key, value in details.items()}),
        template.en.format(**{key: _plain(value, "en") for key, value in details.items()}),
    )


def has_text(section: str, name: str) -> bool:
    """Whether there is such a text."""
    return name in _texts()[section]


def title_of(code: str) -> Text:
    """A condition's name, as a goal."""
    return text_of(code, "title")


def joined(*texts: Text) -> Text:
    """Texts after one another."""
    return Text("".join(text.zh for text in texts), "".join(text.en for text in texts))


def provenance_note(provenance: Provenance) -> Text:
    """What must be said beside a value: not verified, or the operator's own choice."""
    if not provenance.is_verified:
        return text_of("common", "unverified", confidence=provenance.confidence.value)
    return text_of("common", "operator") if provenance.is_operators_own else Text("", "")


def date_text(on: dt.date) -> Text:
    """A date as people write it."""
    return Text(
        f"{on.year} 年 {on.month} 月 {on.day} 日", f"{on.day} {_MONTHS[on.month - 1]} {on.year}"
    )


def money_text(amount: Money) -> Text:
    """An amount with its sign or its currency."""
    sign = _SIGNS.get(amount.currency, f"{amount.currency} ")
    written = f"{sign}{amount.to_decimal():,f}"
    return Text(written, written)


def ids_text(ids: Sequence[str]) -> Text:
    """The first few names, and whether there are more."""
    shown = ids[:IDS_SHOWN_MAX]
    text = Text("、".join(shown), ", ".join(shown))
    return text_of("common", "and_more", ids=text) if len(ids) > len(shown) else text


def _plain(value: Text | str | int, language: str) -> str:
    return value.in_language(language) if isinstance(value, Text) else str(value)
