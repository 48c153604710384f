"""What must always be true, checked in production too."""

from __future__ import annotations


class InvariantViolated(Exception):  # noqa: N818 - it states what happened
    """A bug: something that must always be true is not. Nobody catches this."""


def ensure(condition: bool, statement: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Stop the transaction unless `condition` holds.

    Args:
        condition: what must be true.
        statement: the same in words, naming no person and no secret.

    Raises:
        InvariantViolated: the condition does not hold.
    """
    if not condition:
        raise InvariantViolated(statement)
