"""Which role may do what: one table, one function that reads it."""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from typing import Final

from kuaitui.accounts.errors import DisplayNameInvalid, UsernameInvalid
from kuaitui.accounts.types import Role, Viewer

SHOPS_OF_ONE_USER_MAX: Final = 200
_USERNAME = re.compile(r"[\w.@-]{1,80}")


class Permission(enum.StrEnum):
    """One thing a page or call may do."""

    HOME_VIEW = "home.view"
    SHOP_LIST = "shop.list"
    DEPOSIT_VIEW = "deposit.view"
    DEPOSIT_PAY = "deposit.pay"
    REFUND_APPLY = "refund.apply"
    REMINDER_SET = "reminder.set"
    DEDUCTION_REPLY = "deduction.reply"
    DEDUCTION_VIEW = "deduction.view"
    DEDUCTION_ANNOUNCE = "deduction.announce"
    DEDUCTION_DECIDE = "deduction.decide"
    DEDUCTION_DROP = "deduction.drop"
    DEDUCTION_ANSWER = "deduction.answer"
    CASE_VIEW = "case.view"
    CASE_DECIDE = "case.decide"
    CASE_APPROVE_SECOND = "case.approve_second"
    CASE_DECIDE_APPEAL = "case.decide_appeal"
    PAYOUT_VIEW = "payout.view"
    PAYOUT_QUERY = "payout.query"
    PAYOUT_HOLD = "payout.hold"
    PAYOUT_INTERVENE = "payout.intervene"
    PAYOUT_CONFIRM = "payout.confirm"
    BATCH_BUILD = "batch.build"
    BATCH_RELEASE = "batch.release"
    BATCH_CARRY = "batch.carry"
    BANK_MESSAGE_BRING = "bank_message.bring"
    BANK_MESSAGE_CONFIRM = "bank_message.confirm"
    SUSPENSE_VIEW = "suspense.view"
    SUSPENSE_PROPOSE = "suspense.propose"
    SUSPENSE_CONFIRM = "suspense.confirm"
    AUDIT_VIEW = "audit.view"
    RECONCILIATION_VIEW = "reconciliation.view"
    RECONCILIATION_BRING = "reconciliation.bring"
    RECONCILIATION_PROPOSE = "reconciliation.propose"
    RECONCILIATION_CONFIRM = "reconciliation.confirm"


_SELLER = frozenset({Role.SELLER})
_STAFF = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})

# The auditor sees everything and changes nothing: no permission that changes anything names one.
# A reviewer proposes, an approver confirms; neither role holds the other's permission.
ROLES_ALLOWED: Final = {
    Permission.HOME_VIEW: _SELLER | _STAFF,
    Permission.SHOP_LIST: _SELLER,
    Permission.DEPOSIT_VIEW: _SELLER,
    Permission.DEPOSIT_PAY: _SELLER,
    Permission.REFUND_APPLY: _SELLER,
    Permission.REMINDER_SET: _SELLER,
    Permission.DEDUCTION_REPLY: _SELLER,
    Permission.DEDUCTION_VIEW: _STAFF,
    Permission.DEDUCTION_ANNOUNCE: frozenset({Role.REVIEWER}),
    Permission.DEDUCTION_DECIDE: frozenset({Role.APPROVER}),
    # Nothing leaves a deposit by it, so whoever announced may also see that it was wrong.
    Permission.DEDUCTION_DROP: frozenset({Role.REVIEWER, Role.APPROVER}),
    # Whoever announced or decided does not hear the appeal: a third person of either role does.
    Permission.DEDUCTION_ANSWER: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.CASE_VIEW: _STAFF,
    Permission.CASE_DECIDE: frozenset({Role.REVIEWER}),
    Permission.CASE_APPROVE_SECOND: frozenset({Role.APPROVER}),
    # Whoever rejected does not hear the appeal, so with one reviewer it is the approver's.
    Permission.CASE_DECIDE_APPEAL: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.PAYOUT_VIEW: _STAFF,
    Permission.PAYOUT_QUERY: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.PAYOUT_HOLD: frozenset({Role.APPROVER}),
    Permission.PAYOUT_INTERVENE: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.PAYOUT_CONFIRM: frozenset({Role.APPROVER}),
    Permission.BATCH_BUILD: frozenset({Role.REVIEWER}),
    Permission.BATCH_RELEASE: frozenset({Role.APPROVER}),
    Permission.BATCH_CARRY: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.BANK_MESSAGE_BRING: frozenset({Role.REVIEWER}),
    Permission.BANK_MESSAGE_CONFIRM: frozenset({Role.APPROVER}),
    Permission.RECONCILIATION_VIEW: _STAFF,
    Permission.RECONCILIATION_BRING: frozenset({Role.REVIEWER, Role.APPROVER}),
    Permission.RECONCILIATION_PROPOSE: frozenset({Role.REVIEWER}),
    Permission.RECONCILIATION_CONFIRM: frozenset({Role.APPROVER}),
    Permission.SUSPENSE_VIEW: _STAFF,
    Permission.SUSPENSE_PROPOSE: frozenset({Role.REVIEWER}),
    Permission.SUSPENSE_CONFIRM: frozenset({Role.APPROVER}),
    Permission.AUDIT_VIEW: frozenset({Role.AUDITOR, Role.APPROVER}),
}

# These say nothing until it is known of which shop; without one they are refused.
BOUND_TO_A_SHOP: Final = frozenset(
    {
        Permission.DEPOSIT_VIEW,
        Permission.DEPOSIT_PAY,
        Permission.REFUND_APPLY,
        Permission.REMINDER_SET,
        Permission.DEDUCTION_REPLY,
    }
)


def may(viewer: Viewer | None, permission: Permission | str, shop_key: int | None) -> bool:
    """Whether this person may do this, with this shop if one is named.

    Nobody without a role may do anything. A seller is confined to the seller's own shops.

    Raises:
        ValueError: the permission is not in the table: a bug in the view that names it.
    """
    wanted = Permission(permission)
    if viewer is None or viewer.role not in ROLES_ALLOWED[wanted]:
        return False
    if shop_key is None:
        return wanted not in BOUND_TO_A_SHOP
    return viewer.is_staff or shop_key in viewer.shop_keys


def normal_username(text: str) -> str:
    """One spelling for each user name: compatible forms folded, lower case.

    Raises:
        UsernameInvalid: empty, too long, or with spaces or other signs.
    """
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if _USERNAME.fullmatch(name) is None:
        raise UsernameInvalid
    return name


def normal_display_name(text: str) -> str:
    """The name as pages show it, on one line.

    Raises:
        DisplayNameInvalid: empty, too long, or with signs that cannot be printed.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise DisplayNameInvalid
    return name


def hash_token(token: str) -> str:
    """What is stored of a one-time token: it has 256 random bits, so one fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
