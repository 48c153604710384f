"""The simulated channel's till: orders that wait for a payer. What is paid stands in its book."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.faults import Operation
from kuaitui.channels.simulator.money_book import NoticePlan
from kuaitui.channels.simulator.store import ChannelRefuses

PAY_IN_PAID: Final = "PAY_IN_PAID"
"""The state with which a notification speaks of a pay-in."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it came over the wire."""

    number: str
    amount_minor: int
    currency: str
    description: str
    expires_at: float
    body: bytes

    @classmethod
    def parse(cls, body: bytes) -> OrderRequest:
        """Read one.

        Raises:
            ValueError: it is not an order.
        """
        try:
            document = json.loads(body)
            request = cls(
                number=str(document["number"]),
                amount_minor=document["amount_minor"],
                currency=str(document["currency"]),
                description=str(document["description"]),
                expires_at=float(document["expires_at"]),
                body=body,
            )
        except (TypeError, KeyError) as problem:
            raise ValueError(str(problem)) from problem
        if type(request.amount_minor) is not int or request.amount_minor <= 0:
            raise ValueError("an order asks for a positive amount")
        return request


def open_order(book: Book, request: OrderRequest) -> dict[str, Any]:
    """Wait for a payer, or find the order: the number decides.

    Raises:
        ChannelRefuses: the number came before with other content.
    """
    with book.transaction():
        row = _row(book, request.number)
        fingerprint = hashlib.sha256(request.body).hexdigest()
        if row is not None and row["fingerprint"] != fingerprint:
            raise ChannelRefuses(409, "NUMBER_REUSED")
        if row is None:
            values: dict[str, object] = {
                "number": request.number,
                "fingerprint": fingerprint,
                "amount_minor": request.amount_minor,
                "currency": request.currency,
                "description": request.description,
                "expires_at": request.expires_at,
                "accepted_at": book.now(),
            }
            book.insert("pay_in", values)
        return find_order(book, request.number)


def close_order(book: Book, number: str) -> dict[str, Any]:
    """Let nobody pay an order any more; paid it stays.

    Raises:
        ChannelRefuses: nobody knows it.
    """
    with book.transaction():
        book.change("UPDATE pay_in SET is_closed = 1 WHERE number = ?", number)
        return find_order(book, number)


def find_order(book: Book, number: str) -> dict[str, Any]:
    """How an order stands; of several payments the last is told.

    Raises:
        ChannelRefuses: nobody knows it.
    """
    with book.transaction():
        row = _row(book, number)
        payment = book.row(
            "SELECT * FROM payment WHERE number = ? ORDER BY rowid DESC LIMIT 1", number
        )
        if payment is not None:
            names = ("amount_minor", "currency", "description")
            return {name: row[name] for name in names if row is not None} | {
                "number": number,
                "state": "PAID",
                "reference": payment["reference"],
                "paid_minor": payment["amount_minor"],
                "paid_currency": payment["currency"],
                "paid_at": payment["paid_at"],
            }
        if row is None:
            raise ChannelRefuses(404, "NUMBER_UNKNOWN")
        is_over = row["is_closed"] or row["expires_at"] <= book.now()
        return {**row, "state": "CLOSED" if is_over else "WAITING"}


def pay_order(
    book: Book, number: str, *, amount_minor: int | None = None, anyhow: bool = False
) -> dict[str, Any]:
    """Somebody pays an order; `anyhow` also one that is paid, closed or nobody's.

    Raises:
        ChannelRefuses: it cannot be paid.
    """
    with book.transaction():
        row = _row(book, number)
        state = find_order(book, number)["state"] if row is not None else "NUMBER_UNKNOWN"
        if state != "WAITING" and not anyhow:
            raise ChannelRefuses(409, state)
        amount = amount_minor if amount_minor is not None else row and row["amount_minor"]
        if not amount:
            raise ChannelRefuses(400, "AMOUNT_MISSING")
        count = book.rows("SELECT count(*) AS count FROM payment")[0]["count"]
        reference = f"SIMP{count + 1:016d}"
        book.collect(reference, number, amount, row["currency"] if row else "CNY")
        # Every payment is an event of its own: one that comes twice is told twice.
        event = f"{reference}:{PAY_IN_PAID}"
        _announce(book, event, number)
        return find_order(book, number)


def _announce(book: Book, event: str, number: str) -> None:
    """Tell of a payment as often, as late and as falsely as the rules for `PAY` say."""
    plan = NoticePlan.of(book.draw_faults(Operation.PAY, number, ""))
    due_at = book.now() + plan.after_s
    for disguise in plan.disguises:
        book.announce(
            event=event, number=number, state=PAY_IN_PAID, due_at=due_at, disguise=disguise
        )


def _row(book: Book, number: str) -> dict[str, Any] | None:
    return book.row("SELECT * FROM pay_in WHERE number = ?", number)
