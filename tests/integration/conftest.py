"""What integration tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from django.db import connection


@pytest.fixture
def raw_sql() -> Callable[..., None]:
    """Somebody with a database console, past all our code."""

    def execute(statement: str, parameters: Sequence[object] = ()) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)

    return execute
