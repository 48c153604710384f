"""Somebody with a database console tries what our code would never do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from django.db import DatabaseError, transaction

from tests.support import given


def refuse(
    raw_sql: Callable[..., None],
    tables: Iterable[str],
    statement: str,
    parameters: Sequence[object] = (),
    *,
    breaks: str,
) -> None:
    """Assert that the database refuses a statement, names what it breaks, and changes nothing."""
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    with given.nothing_moves(*tables), pytest.raises(DatabaseError, match=breaks):
        _in_one_transaction(raw_sql, statement, parameters)
    raw_sql("SET CONSTRAINTS ALL DEFERRED")


def _in_one_transaction(
    raw_sql: Callable[..., None], statement: str, parameters: Sequence[object]
) -> None:
    with transaction.atomic():
        raw_sql("SET CONSTRAINTS ALL DEFERRED")
        raw_sql(statement, parameters)
        raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
