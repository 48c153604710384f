"""Lines of the queue as pages show them: with the shop's name, and what to look at closer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from kuaitui.facts.queries import list_shops
from kuaitui.interfaces.console.words import Risk
from kuaitui.refunds.queries import QueueRow


@dataclass(frozen=True, slots=True)
class Line:
    """One application in a list."""

    row: QueueRow
    href: str
    shop_id: str
    shop_name: str
    risks: tuple[Risk, ...]


def lines(rows: Sequence[QueueRow]) -> list[Line]:
    """The rows with their shops, looked up all at once."""
    keys = frozenset(row.shop_key for row in rows)
    shops = {shop.key: shop for shop in list_shops(shop_keys=keys, limit=max(len(keys), 1))}
    return [
        Line(
            row=row,
            href=reverse("console:case", args=[row.application_id]),
            shop_id=shops[row.shop_key].id,
            shop_name=shops[row.shop_key].name,
            risks=_risks(row),
        )
        for row in rows
    ]


def _risks(row: QueueRow) -> tuple[Risk, ...]:
    flags = {
        Risk.LARGE: row.requires_second_approval,
        Risk.DESIGNATED: row.needs_destination,
        Risk.CLOSING: row.way_back_closes_at is not None,
    }
    return tuple(risk for risk, is_set in flags.items() if is_set)
