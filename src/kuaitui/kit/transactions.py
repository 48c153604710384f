"""Who owns a transaction: a use case does; a step runs inside one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import connection

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
