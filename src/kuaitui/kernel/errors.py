"""Refusals: expected answers to requests that cannot be granted."""

from __future__ import annotations

import enum
import inspect
from typing import ClassVar


class RefusalKind(enum.Enum):
    """What sort of no it is. Interfaces map this to an HTTP status once."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    LIMIT = "limit"
    UNAVAILABLE = "unavailable"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The request cannot be granted.

    One subclass per reason, in the `errors.py` of its context. The class docstring is the message
    in plain words and the key of its translation; `code` is stable; `details` hold ids and figures.
    """

    code: ClassVar[str] = "refused"
    kind: ClassVar[RefusalKind] = RefusalKind.INVALID

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The reason in plain English; interfaces translate it."""
        return (
            (inspect.getdoc(type(self)) or self.code)
            .split("\n\n", maxsplit=1)[0]
            .replace("\n", " ")
        )

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.code}: {self.message}" + (f" ({details})" if details else "")
