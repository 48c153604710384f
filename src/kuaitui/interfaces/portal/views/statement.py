"""The statement: every movement in plain words, on a page and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import DepositSummary, StatementKind, StatementLine
from kuaitui.interfaces.portal.rendering import show, zone_of
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.words import (
    DEPOSIT_NAMES,
    FREE_FROM_A_DEDUCTION,
    FROZEN_FOR_A_DEDUCTION,
    MOVEMENTS,
    Words,
)
from kuaitui.kernel.ids import IdPrefix, is_id
from kuaitui.kernel.money import Money
from kuaitui.kit.csv_cells import neutral_cell
from kuaitui.kit.web import permission

PAGE_LINES = 30
FILE_LINES_MAX = 5000
FILE_PAGE_LINES = 200


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of the statement as a page shows it."""

    line: StatementLine
    title: Words
    meaning: Words
    href: str


@permission("deposit.view")
@require_safe
def statement(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """One page of the movements of a deposit, newest first, with the balance after each."""
    accounts = deposits.deposits_of_shop(shop_key=request.shop.key)
    chosen = _chosen(accounts, request.GET.get("deposit", ""))
    context: dict[str, object] = {"accounts": [(one, DEPOSIT_NAMES[one.kind]) for one in accounts]}
    if chosen is not None:
        page = deposits.statement(
            account_id=chosen.account_id, after=request.GET.get("after"), limit=PAGE_LINES
        )
        context |= {
            "chosen": chosen,
            "movements": [_movement(request.shop.id, line) for line in page.lines],
            "next": page.next,
            "is_first": page.is_first,
        }
    return show(request, "portal/statement.html", context, place="statement")


@permission("deposit.view")
@require_safe
def statement_file(request: ShopRequest, shop_id: str, account_id: str) -> HttpResponseBase:  # noqa: ARG001
    """All movements of a deposit as a CSV file that no sheet mistakes for formulas."""
    account = deposits.account_of_shop(shop_key=request.shop.key, account_id=account_id)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        [
            gettext("Time"), gettext("What happened"), gettext("Amount"), gettext("Currency"),
            gettext("Change of the available amount"), gettext("Available after"),
            gettext("Set aside after"), gettext("On its way after"), gettext("Reference"),
        ]
    )  # fmt: skip
    zone = zone_of(request)
    for line in _all_lines(account.account_id):
        title, _meaning = _words(line)
        when = line.occurred_at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        amounts = (line.change, line.available, line.frozen, line.in_transit)
        row = [when, str(title), _figures(line.amount), account.currency]
        row += [_figures(amount) for amount in amounts]
        writer.writerow([*row[:1], neutral_cell(row[1]), *row[2:], neutral_cell(line.reference)])
    # The mark at the beginning tells sheets that the file is UTF-8.
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"statement-{account.account_id}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _figures(amount: Money) -> str:
    return f"{amount.to_decimal():f}"


def _all_lines(account_id: str) -> Iterator[StatementLine]:
    after: str | None = None
    for _page in range(FILE_LINES_MAX // FILE_PAGE_LINES):
        page = deposits.statement(account_id=account_id, after=after, limit=FILE_PAGE_LINES)
        yield from page.lines
        after = page.next
        if after is None:
            return


def _chosen(accounts: tuple[DepositSummary, ...], account_id: str) -> DepositSummary | None:
    for account in accounts:
        if account.account_id == account_id:
            return account
    return accounts[0] if accounts else None


def _words(line: StatementLine) -> tuple[Words, Words]:
    """What a movement is called. Money is set aside for applications, and for announced deductions."""
    if is_id(line.reference.partition("/")[0], IdPrefix.DEDUCTION_CASE):
        if line.kind is StatementKind.FROZEN:
            return FROZEN_FOR_A_DEDUCTION
        if line.kind is StatementKind.RELEASED:
            return FREE_FROM_A_DEDUCTION
    return MOVEMENTS[line.kind]


def _movement(shop_id: str, line: StatementLine) -> Movement:
    href = ""
    source = line.reference.partition("/")[0]
    title, meaning = _words(line)
    if is_id(source, IdPrefix.REFUND_APPLICATION):
        href = reverse("progress", args=[shop_id, source])
    elif is_id(source, IdPrefix.DEDUCTION_CASE):
        href = reverse("deduction", args=[shop_id, source])
    elif is_id(source, IdPrefix.DEDUCTION):
        href = f"{reverse('deductions', args=[shop_id])}#{source}"
    elif line.kind is StatementKind.PAID_IN and is_id(source, IdPrefix.DEPOSIT_LOT):
        href = reverse("receipt", args=[shop_id, source])
    return Movement(line, title, meaning, href)
