"""Reading an answer: which bytes were signed, by whom, and what they say.

The signed text is the value of `<method>_response`, exactly as it stands in the body. It is found by
reading the JSON, not by counting braces: a brace inside a string is part of the string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from kuaitui.channels.alipay.keys import AlipayKey
from kuaitui.channels.alipay.signing import is_signed
from kuaitui.channels.port import Unknown

SUCCESS: Final = "10000"
CAUSE_CHARACTERS_MAX: Final = 64
_SPACE: Final = " \t\r\n"
_NOT_IN_A_CAUSE: Final = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What the gateway said, its signature checked. Numbers are kept as they were written."""

    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """A field, or nothing where it is absent or not plain."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def is_success(self) -> bool:
        """Whether the gateway took the call. What became of the business is another question."""
        return self.text("code") == SUCCESS

    @property
    def cause(self) -> str:
        """The most exact code it gives, fit to be recorded."""
        return plain(self.text("sub_code") or self.text("code") or "no_code")


def read_answer(content: bytes, *, method: str, keys: tuple[AlipayKey, ...]) -> Answer | Unknown:
    """The answer to a call of that method, or Unknown if it is not properly signed by Alipay."""
    try:
        members = _members(content.decode())
    except (ValueError, RecursionError):
        return Unknown("unreadable")
    member = members.get(f"{method.replace('.', '_')}_response") or members.get("error_response")
    if member is None or not isinstance(member.value, dict):
        return Unknown("unreadable")
    answer = Answer(member.value)
    signature = _plain_text(members.get("sign"))
    if not signature:
        return Unknown(f"unsigned.{answer.cause}")
    serial = _plain_text(members.get("alipay_cert_sn"))
    known = [key for key in keys if serial in {"", key.serial} or not key.serial]
    if not known:
        return Unknown("certificate_unknown")
    if not is_signed(known, signature, member.text):
        return Unknown("signature_wrong")
    return answer


def plain(code: str) -> str:
    """A code of theirs with nothing in it but what a code is made of."""
    return _NOT_IN_A_CAUSE.sub("_", code[:CAUSE_CHARACTERS_MAX])


@dataclass(frozen=True, slots=True)
class _Member:
    """One member of the outermost object: its value, and its bytes as they stood in the body."""

    value: object
    text: bytes


def _plain_text(member: _Member | None) -> str:
    return member.value if member is not None and isinstance(member.value, str) else ""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name stands twice: two readers could read it differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"not JSON: {constant}")


_DECODER: Final = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=_unique
)


def _members(text: str) -> dict[str, _Member]:
    """The members of the outermost object, each with its exact text.

    Raises:
        ValueError: not one JSON object and nothing else, or a name stands twice.
    """
    members: dict[str, _Member] = {}
    at = _expect(text, 0, "{")
    while True:
        name, at = _DECODER.raw_decode(text, _skip(text, at))
        begins = _skip(text, _expect(text, at, ":"))
        value, at = _DECODER.raw_decode(text, begins)
        if not isinstance(name, str) or name in members:
            raise ValueError("a name stands twice")
        members[name] = _Member(value, text[begins:at].encode())
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at += 1
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise ValueError("something follows the object")
    return members


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"{sign} is missing")
    return at + 1
