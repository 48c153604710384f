"""Chance that repeats itself: every source is named, and the same name gives the same draws."""

from __future__ import annotations

from random import Random


def chance_of(*name: object) -> Random:
    """The source of that name."""
    return Random("/".join(map(str, name)))  # noqa: S311 - a history, not a secret
