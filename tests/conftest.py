"""What every test may rely on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from kuaitui.config.messages import compile_catalogues

DELETED_BYTES_MAX = 256 * 1024
"""Up to here deleting rows costs less than a new file for a table and each of its indexes."""
WRITTEN_TO = """
WITH RECURSIVE emptied AS (
    SELECT unnest(%s::regclass[])::oid AS oid
    UNION
    SELECT conrelid FROM pg_constraint JOIN emptied ON confrelid = emptied.oid WHERE contype = 'f'
)
SELECT oid::regclass::text, pg_relation_size(oid) FROM emptied WHERE pg_relation_size(oid) > 0
"""
"""As TRUNCATE does, with all that refers to it."""

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
    """Tests with real commits are cleaned up, which our append-only tables refuse.

    Only the clean-up between tests goes around the triggers, and only in its own statements. It
    touches what the test wrote to, and leaves out the permissions of Django, which nothing here asks.
    """
    original = DatabaseOperations.sql_flush

    def flush(self: DatabaseOperations, style: Any, tables: list[str], **kwargs: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(WRITTEN_TO, [tables])
            written = cursor.fetchall()
        names = [name for name, _ in written]
        large = [name for name, size in written if size > DELETED_BYTES_MAX]
        return [
            "SET session_replication_role = replica",
            *([f"LOCK TABLE {', '.join(names)}"] if names else []),
            *original(self, style, large, **{**kwargs, "allow_cascade": True}),
            *(f"DELETE FROM {name}" for name in names),
            "SET session_replication_role = origin",
        ]

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "sql_flush", flush)
    patch.setattr("django.core.management.commands.flush.emit_post_migrate_signal", _say_nothing)
    yield
    patch.undo()


def _say_nothing(*args: Any) -> None:
    """Stand where nobody listens."""
