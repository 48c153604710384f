"""May this payout be? A naive second look at conditions, approvals and amounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found, Shown

ZONE = ZoneInfo("Asia/Shanghai")
HOLD_DAYS = 30
NOTICE_DAYS = 30
RULE_LIMIT = {"CNY": 500_000}
TWO_PEOPLE_FROM = {"CNY": 5_000_000}
ALWAYS_BLOCKS = frozenset({"violation", "restriction", "debt"})
BLOCKS_LEAVING = frozenset({"order", "after_sale", "dispute"})
_APPLICATION = """
SELECT id, kind, amount_minor, created_by, destination_set_by, destination_id, repairs,
    second_approval_forced, approval_hash, currency
FROM refunds_application WHERE public_id = %s
"""
_DECISIONS = """
SELECT kind, actor_id FROM refunds_decision
WHERE application_id = %s AND approval_hash = %s AND kind IN ('approve', 'confirm', 'approve_by_rule')
"""
_LEGS = """
SELECT leg.amount_minor, leg.route, leg.route_open_until, leg.currency FROM payouts_leg AS leg
JOIN payouts_payout AS payout ON payout.id = leg.payout_id
WHERE payout.application_id = %s AND leg.replaces_id IS NULL
"""
# A part may have left between the beginning and this look, and even be back.
_GONE = """
SELECT COALESCE(sum(CASE journal.kind WHEN 'payout.leg_sent' THEN leg.amount_minor
    ELSE -leg.amount_minor END), 0)
FROM payouts_leg AS leg JOIN payouts_payout AS payout ON payout.id = leg.payout_id
JOIN ledger_journal AS journal ON journal.reference = leg.public_id
WHERE payout.application_id = %s
    AND journal.kind IN ('payout.leg_sent', 'payout.leg_failed', 'payout.leg_returned')
"""
_ANNOUNCED = """
SELECT public_id FROM deductions_case
WHERE account_id = %s AND set_aside_minor > 0 AND announced_at < %s
    AND (decided_at IS NULL OR decided_at > %s)
"""
_BALANCES = """
SELECT book.balances[2], account.required_minor, book.balances[4], book.balances[5]
FROM ledger_book AS book JOIN deposits_account AS account ON account.book_id = book.id
WHERE account.public_id = %s
"""


def judge_application(ask: Ask, evidence: Evidence, payout: tuple[Any, ...]) -> Iterator[Found]:
    """A payout that was just begun, judged by what was known when it began."""
    _, application_id, account_id, amount, currency, begun_at = payout
    shop = evidence.shops[account_id]
    row = ask(_APPLICATION, application_id)[0]
    kind, asked = row[1], row[2]
    if amount != asked or currency != row[9] or currency != shop.currency:
        yield "a payout pays what was asked", f"{application_id}: {amount} {currency}, not {asked}"
    blockers = sorted(_blockers(shop, kind, begun_at))
    if kind != "excess" and ask(_ANNOUNCED, account_id, begun_at, begun_at):
        blockers.append("an announced deduction")
    if blockers:
        yield "no payout against a condition", f"{application_id} ({kind}): {', '.join(blockers)}"
    yield from _approval(ask, application_id, row)
    total = 0
    for minor, route, open_until, leg_currency in ask(_LEGS, application_id):
        total += minor
        if route == "original" and (open_until is None or open_until <= begun_at):
            yield "the way back is open when it is chosen", f"{application_id}: until {open_until}"
        if leg_currency != currency:
            yield "a leg has its payout's currency", f"{application_id}: {leg_currency}"
    if total != amount:
        yield "legs add up", f"{application_id}: {total} of {amount}"
    owed, required, available, frozen = ask(_BALANCES, account_id)[0]
    ((gone,),) = ask(_GONE, application_id)
    if owed:
        yield "no payout while something is owed", f"{application_id}: {owed}"
    if kind == "excess" and available + frozen + gone - amount < required:
        yield (
            "an excess leaves what is required",
            f"{application_id}: {amount} of {available} + {frozen} + {gone}, {required} required",
        )


def _blockers(shop: Shown, kind: str, at: dt.datetime) -> set[str]:
    """What stands against it, by what the marketplace has reported."""
    reported = shop.reported
    is_open = reported.open_kinds(at)
    blockers = is_open & ALWAYS_BLOCKS
    if kind == "excess":
        return blockers
    blockers |= is_open & BLOCKS_LEAVING
    today = at.astimezone(ZONE).date()
    if reported.listings:
        blockers.add("listings")
    past = [moment for moment in reported.completions if moment <= at]
    if past and (today - max(past).astimezone(ZONE).date()).days < HOLD_DAYS:
        blockers.add("holding period")
    notice = reported.closing_notice_at
    if notice is not None and (today - notice.astimezone(ZONE).date()).days < NOTICE_DAYS:
        blockers.add("closing notice")
    return blockers


def _approval(ask: Ask, application_id: str, row: tuple[Any, ...]) -> Iterator[Found]:
    key, _, amount, created_by, set_by, destination_id, repairs, is_forced, bound, currency = row
    decisions = ask(_DECISIONS, key, bound)
    people = {actor for kind, actor in decisions if kind != "approve_by_rule"}
    by_rule = any(kind == "approve_by_rule" for kind, _ in decisions)
    if people & {created_by, set_by}:
        yield "nobody approves an own case", f"{application_id}"
    if by_rule and not people:
        if amount > RULE_LIMIT.get(currency, 0) or destination_id or repairs or is_forced:
            yield "the rule approves small ways back only", f"{application_id}: {amount} {currency}"
        return
    needed = 2 if amount >= TWO_PEOPLE_FROM.get(currency, 0) or is_forced or repairs else 1
    if len(people) < needed:
        yield "enough people approve", f"{application_id}: {len(people)} of {needed}"
