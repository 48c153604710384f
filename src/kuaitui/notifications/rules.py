"""What of all that happens a shop is told."""

from __future__ import annotations

from kuaitui.notifications.types import NoticeCode

_CODES = frozenset(code.value for code in NoticeCode)
_ABOUT_A_PART = frozenset(
    {
        NoticeCode.DELAYED,
        NoticeCode.PAYOUT_FAILED,
        NoticeCode.RETURNED,
        NoticeCode.REPAIR_REMINDED,
        NoticeCode.DESTINATION_REPAIRED,
        NoticeCode.REPAIR_REFUSED,
        NoticeCode.CLOSED_OUT,
    }
)


def told_of(source: str, event: str) -> NoticeCode | None:
    """The notice of an event, or nothing for what only matters inside."""
    code = f"{source}.{event}"
    return NoticeCode(code) if code in _CODES else None


def is_about_all_of_it(code: NoticeCode) -> bool:
    """Whether the amount of an application is the amount that the notice is about."""
    return code not in _ABOUT_A_PART
