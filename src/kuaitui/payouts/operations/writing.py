"""Writing what has moved, for one leg or many, in one round trip each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from kuaitui.kernel.invariants import ensure
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.models import Payout, PayoutLeg
from kuaitui.payouts.models.legs import MOVES

_TYPES: Final = {
    "fence": "int",
    "checks": "int",
    "sends": "int",
    "lease_until": "timestamptz",
    "hand_over_sealed": "bytea",
} | {name: "timestamptz" for name in MOVES if name.endswith(("_at", "since"))}
_SET: Final = ", ".join(f"{name} = moved.{name}" for name in MOVES)
_ARRAYS: Final = ", ".join(f"%s::{_TYPES.get(name, 'text')}[]" for name in MOVES)
_SAVE_LEGS: Final = (
    f"UPDATE payouts_leg AS leg SET {_SET}"  # noqa: S608 - names of our own columns only
    f" FROM unnest(%s::bigint[], {_ARRAYS}) AS moved (id, {', '.join(MOVES)})"
    " WHERE leg.id = moved.id"
)
_SAVE_PAYOUTS: Final = (
    "UPDATE payouts_payout AS payout SET state = moved.state, paid_at = moved.paid_at"
    " FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS moved (id, state, paid_at)"
    " WHERE payout.id = moved.id"
)


@requires_transaction
def save_legs(legs: Sequence[PayoutLeg]) -> None:
    """Write all that moves of legs that this transaction has locked."""
    columns = [[getattr(leg, name) for leg in legs] for name in MOVES]
    _write(_SAVE_LEGS, [[leg.id for leg in legs], *columns])


@requires_transaction
def save_payouts(payouts: Sequence[Payout]) -> None:
    """Write the state of payouts that this transaction has locked."""
    ids = [payout.id for payout in payouts]
    states = [payout.state for payout in payouts]
    _write(_SAVE_PAYOUTS, [ids, states, [payout.paid_at for payout in payouts]])


def _write(statement: str, columns: list[list[Any]]) -> None:
    count = len(columns[0])
    if not count:
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)
        ensure(cursor.rowcount == count, "what was locked is written")
