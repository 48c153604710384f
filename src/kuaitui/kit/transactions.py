"""Who owns a transaction: a use case does; a step runs inside one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connection

from kuaitui.kernel.invariants import ensure

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def requires_transaction(step: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Mark a step that must run inside its caller's transaction, and hold it to that."""

    @functools.wraps(step)
    def inside(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        ensure(connection.in_atomic_block, f"{step.__name__} runs inside a transaction")
        return step(*args, **kwargs)

    return inside


@contextmanager
def answered_within(seconds: int) -> Iterator[None]:
    """Let the database give up on any statement inside that takes longer.

    Raises:
        django.db.OperationalError: one did.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _forget_statement_timeout()


def _forget_statement_timeout() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    except DatabaseError:
        # The connection broke: the next one begins without the setting.
        connection.close()
