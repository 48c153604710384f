"""Was every seller heard before anything was taken? By what those people remember."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found, Shown
from kuaitui.simulation.shops import Hearing

ZONE = ZoneInfo("Asia/Shanghai")
REPLY_DAYS = 7
ANSWER_DAYS = 30
BY_TIME = "deductions.sweep_due"
CLOCKS_DIFFER = dt.timedelta(minutes=5)
_DEDUCTIONS = """
SELECT deduction.reference, deduction.amount_minor, deduction.decided_by, deduction.decided_at,
    COALESCE(given_back.amount_minor, 0), COALESCE(given_back.decided_by, ''), given_back.decided_at
FROM deposits_deduction AS deduction
JOIN deposits_account AS account ON account.id = deduction.account_id
LEFT JOIN deposits_deduction_return AS given_back ON given_back.deduction_id = deduction.id
WHERE account.public_id = %s AND deduction.decided_by LIKE 'usr_staff_%%'
"""


def unheard_deductions(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """Deductions by staff that nobody announced, or too early, or by the wrong people.

    And what was given back by nobody, though somebody could still answer.
    """
    for account_id, shop in evidence.shops.items():
        yield from _of_shop(ask, account_id, shop)


def _of_shop(ask: Ask, account_id: str, shop: Shown) -> Iterator[Found]:
    hearings = {hearing.case_id: hearing for hearing in shop.hearings}
    taken: dict[str, tuple[int, int]] = {}
    for case_id, amount, decided_by, decided_at, given_back, given_back_by, given_back_at in ask(
        _DEDUCTIONS, account_id
    ):
        hearing = hearings.get(case_id)
        is_by_time = given_back_by == BY_TIME
        taken[case_id] = amount, 0 if is_by_time else given_back
        if hearing is not None and is_by_time:
            yield from _given_back_by_time(hearing, given_back, given_back_at)
        if hearing is None or hearing.announced_by == decided_by:
            yield "another person decides what was announced", f"{case_id}: {decided_by}"
        elif not _was_heard(hearing, decided_at):
            yield "nothing is taken before its seller was heard", f"{case_id}: {decided_at}"
        elif given_back_by in (hearing.announced_by, decided_by):
            yield "a third person answers an appeal", f"{case_id}: {given_back_by}"
    for case_id, hearing in hearings.items():
        chosen = hearing.sum_of(hearing.taken), hearing.sum_of(hearing.given_back)
        if taken.get(case_id, (0, 0)) != chosen:
            yield "what people choose is taken", f"{case_id}: {taken.get(case_id)}, not {chosen}"


def _given_back_by_time(hearing: Hearing, minor: int, at: dt.datetime) -> Iterator[Found]:
    appealed_at = hearing.appealed_at
    if appealed_at is None or minor != hearing.granted_by_time_minor:
        yield "all of what nobody answers is given back", f"{hearing.case_id}: {minor}"
    elif _days_between(appealed_at, at) <= ANSWER_DAYS:
        yield "an appeal can be answered for its time", f"{hearing.case_id}: {at}"


def _days_between(first: dt.datetime, second: dt.datetime) -> int:
    """By the calendar there."""
    return (second.astimezone(ZONE).date() - first.astimezone(ZONE).date()).days


def _was_heard(hearing: Hearing, at: dt.datetime) -> bool:
    if hearing.replied_at is not None and hearing.replied_at <= at + CLOCKS_DIFFER:
        return True
    return _days_between(hearing.announced_at, at) > REPLY_DAYS
