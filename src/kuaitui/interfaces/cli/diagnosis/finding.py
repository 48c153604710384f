"""What a check found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, and somebody should look at it."""
    FAIL = "fail"
    """Something does not work, or money or secrets are at risk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis. `remedy` says what to do and is empty when all is well."""

    check: str
    verdict: Verdict
    what: str
    remedy: str = ""


def ok(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, what)


def warn(check: str, what: str, remedy: str) -> Finding:
    """Somebody should look at it."""
    return Finding(check, Verdict.WARN, what, remedy)


def fail(check: str, what: str, remedy: str) -> Finding:
    """It must be mended."""
    return Finding(check, Verdict.FAIL, what, remedy)
