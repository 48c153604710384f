"""What a report must look like to be taken. Pure."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    BalanceReport,
    DebtReport,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    OrderReport,
    Report,
    RestrictionReport,
    ShopReport,
    ViolationReport,
    ViolationStatus,
)
from kuaitui.kernel.money import Money

SHOP_ID_CHARACTERS_MAX = 100
SUBJECT_ID_CHARACTERS_MAX = 100
NAME_CHARACTERS_MAX = 200
CATEGORIES_MAX = 100
LISTINGS_MAX = 2**31 - 1
EARLIEST_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

# An id stands in an address: what would end or change the address cannot be part of it.
_NOT_IN_AN_ADDRESS = frozenset(" /\\?#%")


def is_shop_id(text: str) -> bool:
    """Whether the marketplace's id of a shop can be used in an address."""
    return (
        0 < len(text) <= SHOP_ID_CHARACTERS_MAX
        and text.isprintable()
        and not _NOT_IN_AN_ADDRESS.intersection(text)
        and text not in {".", ".."}
    )


def is_subject_id(text: str) -> bool:
    """Whether the marketplace's id of an order, case or debt can be printed in a sentence."""
    return (
        0 < len(text) <= SUBJECT_ID_CHARACTERS_MAX
        and text.isprintable()
        and text[0] != " "
        and text[-1] != " "
    )


def problem_of(report: Report) -> str | None:
    """What is wrong with a report by itself, in a few words; `None` when it can be taken."""
    subject = subject_id_of(report)
    if subject is not None and not is_subject_id(subject):
        return "its id is empty, longer than 100 characters or not printable"
    if any(moment is not None and moment.utcoffset() is None for moment in moments_of(report)):
        return "a time has no offset"
    if any(moment is not None and moment < EARLIEST_AT for moment in moments_of(report)):
        return "a time lies before the year 2000"
    if not all(text.isprintable() for text in _texts_of(report)):
        return "a text in it is not printable"
    amount = amount_of(report)
    if amount is not None and amount.minor < 0:
        return "its amount is negative"
    return _problem_of_content(report)


def subject_id_of(report: Report) -> str | None:
    """The id of what the report is about; `None` when it is about the shop itself."""
    match report:
        case OrderReport():
            return report.order_id
        case AfterSaleReport():
            return report.after_sale_id
        case DisputeReport():
            return report.dispute_id
        case ViolationReport():
            return report.violation_id
        case RestrictionReport():
            return report.restriction_id
        case DebtReport():
            return report.debt_id
        case ShopReport() | ListingsReport() | BalanceReport():
            return None
        case _:
            assert_never(report)


def amount_of(report: Report) -> Money | None:
    """The money a report speaks of, if any. A withdrawable balance may be overdrawn."""
    match report:
        case OrderReport() | DebtReport():
            return report.amount
        case _:
            return None


def money_of(report: Report) -> Money | None:
    """Any money in a report, whatever its sign."""
    return report.withdrawable_balance if isinstance(report, BalanceReport) else amount_of(report)


def moments_of(report: Report) -> tuple[dt.datetime | None, ...]:
    """Every instant a report names."""
    match report:
        case ShopReport():
            return (report.status_at, report.opened_at, report.closing_notice_at,
                    report.closed_at, report.expelled_at)  # fmt: skip
        case AfterSaleReport() | DisputeReport():
            return (report.status_at, report.opened_at, report.closed_at)
        case ViolationReport():
            return (report.status_at, report.occurred_at, report.settled_at)
        case RestrictionReport():
            return (report.status_at, report.from_at, report.to_at)
        case OrderReport() | DebtReport() | ListingsReport() | BalanceReport():
            return (report.status_at,)
        case _:
            assert_never(report)


def _texts_of(report: Report) -> tuple[str, ...]:
    """The texts of a report that are no id of its own."""
    match report:
        case ShopReport():
            return (report.name, *report.categories)
        case AfterSaleReport():
            return (report.order_id,)
        case _:
            return ()


def _problem_of_content(report: Report) -> str | None:
    match report:
        case AfterSaleReport() if report.status is AfterSaleStatus.OPEN and report.closed_at:
            return "it is open and has an end"
        case DisputeReport() if report.status is DisputeStatus.OPEN and report.closed_at:
            return "it is open and has an end"
        case ViolationReport() if (
            report.status is not ViolationStatus.SETTLED and report.settled_at
        ):
            return "it is not settled and has an end"
        case RestrictionReport() if report.to_at is not None and report.to_at < report.from_at:
            return "it ends before it begins"
        case ListingsReport() if not 0 <= report.listings_on_sale <= LISTINGS_MAX:
            return "the number of listings is negative or too large"
        case ShopReport() if len(report.name) > NAME_CHARACTERS_MAX:
            return "the shop's name is longer than 200 characters"
        case ShopReport() if len(report.categories) > CATEGORIES_MAX:
            return "it has more than 100 categories"
        case AfterSaleReport() if len(report.order_id) > SUBJECT_ID_CHARACTERS_MAX:
            return "its order's id is longer than 100 characters"
        case _:
            return None
