"""How a report is written in the log."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import assert_never

from kuaitui.facts.rules import moments_of
from kuaitui.facts.types import (
    AfterSaleReport,
    BalanceReport,
    DebtReport,
    DisputeReport,
    ListingsReport,
    ReportInLog,
    ReportKind,
    RestrictionReport,
    ShopReport,
    Standing,
    ViolationReport,
)

_RANK_OF_STANDING = {standing: rank for rank, standing in enumerate(Standing)}
_SHOP_ITSELF = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One row of `facts_report`. `content` is what `DERIVE_STATE` reads."""

    shop_key: int
    kind: ReportKind
    subject_id: str
    rank: int
    status_at: dt.datetime
    latest_at: dt.datetime
    content: str


def log_entry(report: ReportInLog, *, shop_key: int) -> LogEntry:
    """The row that keeps a report."""
    kind, subject_id, rank, content = _parts(report)
    latest_at = max(moment for moment in moments_of(report) if moment is not None)
    return LogEntry(
        shop_key, kind, subject_id, rank, report.status_at, latest_at, json.dumps(content)
    )


def _parts(report: ReportInLog) -> tuple[ReportKind, str, int, dict[str, object]]:
    match report:
        case ShopReport():
            return ReportKind.SHOP, _SHOP_ITSELF, _RANK_OF_STANDING[report.standing], _shop(report)
        case AfterSaleReport():
            content = _period(report.opened_at, report.closed_at or _end(report))
            content["order_id"] = report.order_id
            return ReportKind.AFTER_SALE, report.after_sale_id, report.status, content
        case DisputeReport():
            content = _period(report.opened_at, report.closed_at or _end(report))
            return ReportKind.DISPUTE, report.dispute_id, report.status, content
        case ViolationReport():
            content = _period(report.occurred_at, report.settled_at or _end(report))
            return ReportKind.VIOLATION, report.violation_id, report.status, content
        case RestrictionReport():
            content = {
                "kind": int(report.kind),
                "from_at": _iso(report.from_at),
                "to_at": _iso(report.to_at),
            }
            return ReportKind.RESTRICTION, report.restriction_id, 0, content
        case DebtReport():
            content = {"kind": int(report.kind), "amount_minor": report.amount.minor}
            return ReportKind.DEBT, report.debt_id, report.status, content
        case ListingsReport():
            content = {"listings_on_sale": report.listings_on_sale}
            return ReportKind.LISTINGS, _SHOP_ITSELF, 0, content
        case BalanceReport():
            content = {"withdrawable_balance_minor": report.withdrawable_balance.minor}
            return ReportKind.BALANCE, _SHOP_ITSELF, 0, content
        case _:
            assert_never(report)


def _shop(report: ShopReport) -> dict[str, object]:
    return {
        "name": report.name,
        "kind": report.kind,
        "categories": list(report.categories),
        "standing": report.standing,
        "opened_at": _iso(report.opened_at),
        "closing_notice_at": _iso(report.closing_notice_at),
        "closed_at": _iso(report.closed_at),
        "expelled_at": _iso(report.expelled_at),
    }


def _period(opened_at: dt.datetime, closed_at: dt.datetime | None) -> dict[str, object]:
    return {"opened_at": _iso(opened_at), "closed_at": _iso(closed_at)}


def _end(report: AfterSaleReport | DisputeReport | ViolationReport) -> dt.datetime | None:
    """A case reported as over without an end ended when it was reported."""
    return report.status_at if report.status.name in {"CLOSED", "SETTLED"} else None


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()
