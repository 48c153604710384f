"""What every test may rely on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from kuaitui.config.messages import compile_catalogues

compile_catalogues()
# How long an example takes, or to think of one, says more of the machine than of the code. What
# fails prints how to play it again, whatever its seed was.
settings.register_profile(
    "kuaitui",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# For looking long at one property: `pytest --hypothesis-profile=thorough tests/property/...`.
settings.register_profile("thorough", settings.get_profile("kuaitui"), max_examples=5_000)
settings.load_profile("kuaitui")


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_append_only_tables() -> Any:
    """Tests with real commits are cleaned up by TRUNCATE, which our append-only tables refuse.

    Only the clean-up between tests goes around the triggers, and only in its own statements.
    """
    original = DatabaseOperations.sql_flush

    def flush(self: DatabaseOperations, *args: Any, **kwargs: Any) -> list[str]:
        statements = original(self, *args, **{**kwargs, "allow_cascade": True})
        return [
            "SET session_replication_role = replica",
            *statements,
            "SET session_replication_role = origin",
        ]

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "sql_flush", flush)
    yield
    patch.undo()
