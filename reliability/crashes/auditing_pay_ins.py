"""Who judges money in: the channel's own list of payments against plain SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

CHANNEL = "simulator"
# What the sellers of the other loads had before anything began.
SET_UP = "given-payment-%"
PLACES = """
    SELECT p.reference, l.amount_minor, 'lot' FROM deposits_channel_payment p
      JOIN deposits_lot l ON l.account_id = p.account_id AND l.number = p.lot_number
     WHERE p.channel = %(channel)s AND p.reference NOT LIKE %(set_up)s
    UNION ALL
    SELECT channel_reference, amount_minor, 'lot without a payment' FROM deposits_lot l
     WHERE channel_reference NOT LIKE %(set_up)s AND NOT EXISTS (
        SELECT 1 FROM deposits_channel_payment p WHERE p.channel = l.channel
           AND p.reference = l.channel_reference AND p.account_id = l.account_id
           AND p.lot_number = l.number)
    UNION ALL
    SELECT reference, amount_minor, 'suspense' FROM deposits_suspense WHERE channel = %(channel)s
"""
HANDED_OVER = ("created", "opening", "unknown")


def unplaced(url: str, payments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Payments that are nowhere yet, and orders of which nobody knows whether the channel has them."""
    with psycopg.connect(url) as connection:
        placed = {reference for reference, _, _ in _places(connection)}
        orders = connection.execute(
            "SELECT public_id FROM deposits_pay_in_order WHERE state = ANY (%s)",
            [list(HANDED_OVER)],
        ).fetchall()
    missing = [str(one["reference"]) for one in payments if one["reference"] not in placed]
    return [*missing, *(row[0] for row in orders)]


def findings(
    url: str,
    payments: Sequence[Mapping[str, Any]],
    promises: Mapping[str, tuple[str, int]],
    receipts: Mapping[str, int],
) -> list[str]:
    """Everything about money in that is not as it must be, once all is quiet.

    `payments` is the channel's own list, `promises` the orders that pages confirmed, `receipts`
    what receipts showed by lot.
    """
    with psycopg.connect(url) as connection:
        return [
            *_payments(connection, payments),
            *_orders(connection, promises),
            *_receipts(connection, receipts),
        ]


def suspense_count(url: str) -> int:
    """How many payments came to suspense."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM deposits_suspense").fetchone()
    return 0 if row is None else int(row[0])


def _payments(
    connection: psycopg.Connection[Any], payments: Sequence[Mapping[str, Any]]
) -> list[str]:
    places = _places(connection)
    times = Counter(reference for reference, _, _ in places)
    theirs = {str(one["reference"]): int(one["amount_minor"]) for one in payments}
    found = [f"payment {one} is in {times[one]} places" for one in theirs if times[one] != 1]
    for reference, minor, place in places:
        if theirs.get(reference) != minor:
            found.append(f"{place} {reference} holds {minor}, paid was {theirs.get(reference)}")
    return found


def _orders(
    connection: psycopg.Connection[Any], promises: Mapping[str, tuple[str, int]]
) -> list[str]:
    rows = {
        row[0]: (row[1], row[2])
        for row in connection.execute(
            "SELECT o.public_id, a.public_id, o.amount_minor FROM deposits_pay_in_order o"
            " JOIN deposits_account a ON a.id = o.account_id"
        ).fetchall()
    }
    found = [f"{kept} was confirmed and is not there" for kept in promises.keys() - rows]
    found += [f"{extra} is there and was never asked for" for extra in rows.keys() - promises]
    found += [
        f"{order_id} is {rows[order_id]} instead of {asked}"
        for order_id, asked in promises.items()
        if order_id in rows and rows[order_id] != asked
    ]
    aside = connection.execute(
        "SELECT public_id FROM deposits_pay_in_order WHERE set_aside_at IS NOT NULL"
    ).fetchall()
    return found + [f"{row[0]} was set aside" for row in aside]


def _receipts(connection: psycopg.Connection[Any], receipts: Mapping[str, int]) -> list[str]:
    lots = dict(connection.execute("SELECT public_id, amount_minor FROM deposits_lot").fetchall())
    return [
        f"the receipt of {lot_id} says {minor}, its lot {lots.get(lot_id)}"
        for lot_id, minor in receipts.items()
        if lots.get(lot_id) != minor
    ]


def _places(connection: psycopg.Connection[Any]) -> list[tuple[str, int, str]]:
    return connection.execute(PLACES, {"channel": CHANNEL, "set_up": SET_UP}).fetchall()
