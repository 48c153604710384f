"""Is this process able to do its work: database reachable, schema up to date."""

from __future__ import annotations

import enum

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


class Readiness(enum.StrEnum):
    """What stands in the way of answering requests."""

    READY = "ready"
    DATABASE_UNREACHABLE = "database_unreachable"
    MIGRATIONS_PENDING = "migrations_pending"


def readiness() -> Readiness:
    """Ask the database, then whether its schema is the one this code knows."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Readiness.READY if _SCHEMA.is_current() else Readiness.MIGRATIONS_PENDING
    except DatabaseError:
        connection.close()
        return Readiness.DATABASE_UNREACHABLE


class _Schema:
    """Once current, a schema stays so for this code: later probes need not read every migration."""

    was_current = False

    def is_current(self) -> bool:
        if not self.was_current:
            executor = MigrationExecutor(connection)
            self.was_current = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return self.was_current


_SCHEMA = _Schema()
