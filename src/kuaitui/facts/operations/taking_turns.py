"""Who may write facts at the same time, so that no two wait for each other in a circle.

Small deliveries lock the shops they touch in the order of their keys and run beside each other. A
chunk of a file touches thousands of shops; locking each by itself would cost a tenth of its time,
so it waits for the small ones and then writes alone for a fraction of a second.
"""

from __future__ import annotations

from django.db import connection

# Any number, as long as nothing else in this database uses it.
_TURN = 7_300_001


def write_beside_others() -> None:
    """Wait until no chunk of a file is being written; then others like this one may write too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_TURN])


def write_alone() -> None:
    """Wait until nobody writes facts, and keep everybody out until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
