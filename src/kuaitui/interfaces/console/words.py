"""What the staff call things: the word, and the tone in which it is shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.accounts.types import Role
from kuaitui.channels.port import NeededAction
from kuaitui.deposits.types import Route, StatementKind
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, LimitScope, WaitsFor
from kuaitui.policy.types import RefundKind, Standing
from kuaitui.refunds.states import State
from kuaitui.refunds.types import Reason, RejectReason


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its tone; a page shows both with an icon, so colour never speaks alone."""

    text: str | Promise
    tone: str = "quiet"

    def __str__(self) -> str:
        return str(self.text)


ROLES: Final = {
    Role.REVIEWER: _("Reviewer"),
    Role.APPROVER: _("Approver"),
    Role.AUDITOR: _("Auditor"),
    Role.SELLER: _("Seller"),
}

STATES: Final = {
    State.DRAFT: Word(_("Draft")),
    State.SUBMITTED: Word(_("Submitted"), "wait"),
    State.CHECKING: Word(_("Being checked by rule"), "wait"),
    State.IN_REVIEW: Word(_("To review"), "act"),
    State.MORE_INFORMATION: Word(_("Seller was asked"), "ask"),
    State.AWAITING_SECOND_APPROVAL: Word(_("Awaits second approval"), "act"),
    State.APPROVED: Word(_("Approved"), "good"),
    State.PAYING: Word(_("Being paid"), "wait"),
    State.PAID: Word(_("Paid"), "good"),
    State.WITHDRAWN: Word(_("Withdrawn")),
    State.REJECTED: Word(_("Rejected"), "bad"),
    State.APPEALED: Word(_("Appealed"), "act"),
    State.RETURNED: Word(_("Money came back"), "return"),
    State.DESTINATION_REPAIRED: Word(_("New account to review"), "act"),
    State.EXPIRED: Word(_("Expired")),
    State.CLOSED_OUT: Word(_("Closed out")),
}

REJECT_REASONS: Final = {
    RejectReason.TRADE_NOT_COMPLETE: _("Trade is not complete"),
    RejectReason.VIOLATION_OPEN: _("A violation is open"),
    RejectReason.HOLD_NOT_OVER: _("The holding period is not over"),
    RejectReason.DESTINATION_NOT_SAME_PERSON: _("The account belongs to somebody else"),
    RejectReason.INFORMATION_MISSING: _("Information was asked for and did not come"),
    RejectReason.INFORMATION_WRONG: _("Information is wrong"),
    RejectReason.SUSPECTED_TAKEOVER: _("The account may have been taken over"),
    RejectReason.DEPOSIT_DEDUCTED: _("The deposit was deducted"),
    RejectReason.OTHER: _("Another reason"),
}

LIMIT_SCOPES: Final = {
    LimitScope.PAYOUT: _("One payout"),
    LimitScope.SHOP_DAY: _("One shop in 24 hours"),
    LimitScope.OPERATOR_DAY: _("One approver in 24 hours"),
    LimitScope.RULE_DAY: _("All approvals by rule in 24 hours"),
    LimitScope.CHANNEL_LEG: _("One part through a channel"),
    LimitScope.CHANNEL_DAY: _("One channel in 24 hours"),
    LimitScope.CHANNEL_FLOOR: _("Floor of a channel's balance"),
}

WAITS_FOR: Final = {
    WaitsFor.PAYOUT_LIMIT: _("Above the limit of one payout."),
    WaitsFor.LEG_LIMIT: _("Above the channel's limit of one part."),
    WaitsFor.SHOP_DAY_LIMIT: _("The shop's limit of 24 hours is used up. It waits for its turn."),
    WaitsFor.OPERATOR_DAY_LIMIT: _(
        "The approver's limit of 24 hours is used up. It waits for its turn."
    ),
    WaitsFor.RULE_DAY_LIMIT: _(
        "What the rule may approve in 24 hours is used up. It waits for its turn."
    ),
    WaitsFor.ABOVE_SHOP_DAY: _(
        "Larger by itself than the shop's limit of 24 hours: it can never go out under this limit."
    ),
    WaitsFor.ABOVE_OPERATOR_DAY: _(
        "Larger by itself than the approver's limit of 24 hours: it can never go out under this"
        " limit."
    ),
    WaitsFor.ABOVE_RULE_DAY: _(
        "Larger by itself than what the rule may approve in 24 hours: it can never go out under"
        " this limit."
    ),
    WaitsFor.ABOVE_DAY: _(
        "Larger by itself than the channel's limit of 24 hours: it can never go out under this"
        " limit."
    ),
    WaitsFor.DAY_LIMIT: _("The channel's limit of 24 hours is used up. It waits for its turn."),
    WaitsFor.BALANCE_FLOOR: _("The channel's balance would fall below its floor. Top it up."),
    WaitsFor.BALANCE_UNKNOWN: _("Nobody told the channel's balance yet, and it has a floor."),
}

LEG_STATES: Final = {
    LegState.READY: Word(_("Ready to send"), "wait"),
    LegState.SENDING: Word(_("Being sent"), "wait"),
    LegState.UNKNOWN: Word(_("Result unknown"), "act"),
    LegState.ACCEPTED: Word(_("Accepted by the channel"), "wait"),
    LegState.NEEDS_ACTION: Word(_("Channel waits for a person"), "act"),
    LegState.PAID: Word(_("Paid"), "good"),
    LegState.RETURNED: Word(_("Returned"), "return"),
    LegState.FAILED: Word(_("Failed for certain"), "bad"),
    LegState.CANCELLED: Word(_("Called off")),
}

NEEDS_PEOPLE: Final = Word(_("Needs a person"), "act")
CAME_BACK: Final = Word(_("Came back or failed"), "return")

ATTEMPT_KINDS: Final = {
    AttemptKind.SEND: _("Send"),
    AttemptKind.QUERY: _("Query"),
    AttemptKind.SEND_AGAIN: _("Send the same order again"),
    AttemptKind.HAND_OVER: _("Name the bank account"),
    AttemptKind.CANCEL: _("Call back"),
}

# For what a channel waits for a person, and what that means.
NEEDED_ACTIONS: Final = {
    NeededAction.USER_CONFIRM: (
        _("Waits for the payee’s confirmation"),
        _("The payee must confirm in the channel’s app. Unconfirmed, the channel closes it."),
    ),
    NeededAction.ABNORMAL_REFUND: (
        _("The refund is stuck at the channel"),
        _(
            "The channel cannot pay it back the way it came and holds the money. It waits for a bank "
            "account of the seller."
        ),
    ),
    NeededAction.MISSING_BANK_DETAILS: (
        _("The channel does not take this account"),
        _("The refund is still stuck. It waits for another bank account of the seller."),
    ),
}

ATTEMPT_OUTCOMES: Final = {
    AttemptOutcome.ACCEPTED: Word(_("Accepted"), "good"),
    AttemptOutcome.WANTS_AGAIN: Word(_("Wants it sent again"), "pause"),
    AttemptOutcome.SUCCEEDED: Word(_("Paid"), "good"),
    AttemptOutcome.FAILED: Word(_("Failed for certain"), "bad"),
    AttemptOutcome.FAILED_RETRYABLE: Word(_("Not taken, may be sent again"), "pause"),
    AttemptOutcome.REJECTED_CONFIG: Word(_("Refused: our set-up is wrong"), "bad"),
    AttemptOutcome.NEEDS_ACTION: Word(_("Waits for a person"), "act"),
    AttemptOutcome.RETURNED: Word(_("Returned"), "return"),
    AttemptOutcome.NOT_FOUND: Word(_("Not known there yet"), "ask"),
    AttemptOutcome.NOT_SENT: Word(_("Never left us"), "pause"),
    AttemptOutcome.UNKNOWN: Word(_("No answer"), "act"),
}

TIMELINE: Final = {
    "submitted": Word(_("Submitted"), "done"),
    "checking": Word(_("Being checked by rule"), "done"),
    "checked": Word(_("Checked by rule"), "done"),
    "approved_by_rule": Word(_("Approved by rule"), "done"),
    "approved": Word(_("Approved by a reviewer"), "done"),
    "second_approved": Word(_("Second approval given"), "done"),
    "sent_back": Word(_("Sent back to review"), "act"),
    "information_requested": Word(_("More information asked for"), "act"),
    "information_provided": Word(_("Seller answered"), "done"),
    "rejected": Word(_("Rejected"), "failed"),
    "appealed": Word(_("Seller appealed"), "act"),
    "appeal_granted": Word(_("Appeal granted"), "done"),
    "appeal_dismissed": Word(_("Appeal dismissed"), "failed"),
    "withdrawn": Word(_("Withdrawn by the seller"), "failed"),
    "payout_begun": Word(_("Payout begun"), "done"),
    "leg_sent": Word(_("Sent to the channel"), "done"),
    "paid": Word(_("Paid"), "done"),
    "returned": Word(_("Returned by the bank"), "failed"),
    "payout_failed": Word(_("Payout failed"), "failed"),
    "destination_repaired": Word(_("Seller gave another account"), "done"),
    "repair_refused": Word(_("New account refused"), "failed"),
    "repair_reminded": Word(_("Seller reminded to name another account"), "act"),
    "close_out_proposed": Word(_("Close-out proposed"), "act"),
    "closed_out": Word(_("Closed out, money back in the deposit"), "failed"),
    "amount_reduced": Word(_("Amount reduced"), "act"),
    "approval_voided": Word(_("Approval void, something changed"), "act"),
    "expired": Word(_("Expired"), "failed"),
    "delayed": Word(_("Delayed at the channel"), "late"),
    "cooling_down": Word(_("Waits until the new account may be used"), "act"),
    "appeal_window_closed": Word(_("No appeal came in time"), "done"),
    "draft_begun": Word(_("Draft begun"), "done"),
    "draft_saved": Word(_("Draft saved"), "done"),
}

EVIDENCE: Final = {
    "order": _("Order"),
    "after_sale": _("After-sale"),
    "dispute": _("Dispute"),
    "violation": _("Violation"),
    "restriction": _("Restriction"),
    "debt": _("Debt"),
    "shop": _("Shop"),
    "deposit": _("Deposit"),
}

KINDS: Final = {
    RefundKind.FULL_EXIT: _("Whole deposit, on leaving"),
    RefundKind.EXCESS: _("What lies above the required amount"),
}

REASONS: Final = {
    Reason.CLOSING_SHOP: _("Closing the shop"),
    Reason.EXCESS_RETURNED: _("Excess back"),
    Reason.CHANGING_PLATFORM: _("Moving to another platform"),
    Reason.CHANGING_CATEGORY: _("Changing the category"),
    Reason.OTHER: _("Another reason"),
}

STANDINGS: Final = {
    Standing.NORMAL: _("Normal"),
    Standing.RESTRICTED: _("Restricted"),
    Standing.BANNED: _("Banned"),
    Standing.EXPELLED: _("Expelled"),
    Standing.CLOSED: _("Closed"),
}

MOVEMENTS: Final = {
    StatementKind.PAID_IN: _("Paid in"),
    StatementKind.FROZEN: _("Frozen"),
    StatementKind.RELEASED: _("Released"),
    StatementKind.SENT: _("Sent"),
    StatementKind.SETTLED: _("Settled"),
    StatementKind.FAILED_BACK: _("Failed, frozen again"),
    StatementKind.RETURNED: _("Returned, frozen again"),
    StatementKind.DEDUCTED: _("Deducted"),
    StatementKind.OWED: _("Owed"),
    StatementKind.SET_OFF: _("Set off"),
    StatementKind.GIVEN_BACK: _("Given back on appeal"),
    StatementKind.OWED_LESS: _("Owed less after an appeal"),
    StatementKind.OTHER: _("Other movement"),
}

ROUTES: Final = {
    Route.ORIGINAL: _("back the way it came"),
    Route.DESIGNATED: _("to the account named"),
}

# What the marketplace reports: lists of things, their fields, and the words in them.
FACT_LISTS: Final = {
    "orders": _("Order"),
    "after_sales": _("After-sale"),
    "disputes": _("Dispute"),
    "violations": _("Violation"),
    "restrictions": _("Restriction"),
    "debts": _("Debt"),
    "lots": _("Payment into the deposit"),
}

FACT_FIELDS: Final = {
    "status": _("status"),
    "status_at": _("since"),
    "amount_minor": _("amount"),
    "opened_at": _("opened"),
    "closed_at": _("closed on"),
    "occurred_at": _("happened"),
    "settled_at": _("settled on"),
    "from": _("from"),
    "to": _("until"),
    "kind": _("kind"),
    "standing": _("standing"),
    "categories": _("categories"),
    "closing_notice_at": _("closing notice"),
    "expelled_at": _("expelled on"),
    "refundable_until": _("original route open until"),
    "paid_at": _("paid on"),
    "channel": _("channel"),
    "required_minor": _("required deposit"),
    "frozen_minor": _("otherwise frozen"),
    "listings_on_sale": _("goods on sale"),
    "withdrawable_balance_minor": _("balance not withdrawn"),
}

FACT_TIMES: Final = frozenset(
    {
        "status_at", "opened_at", "closed_at", "occurred_at", "settled_at", "from", "to",
        "closing_notice_at", "expelled_at", "refundable_until", "paid_at",
    }
)  # fmt: skip

FACTS: Final = {
    "normal": _("normal"),
    "restricted": _("restricted"),
    "banned": _("banned"),
    "expelled": _("expelled"),
    "listing": _("listing"),
    "sales": _("sales"),
    "withdrawal": _("withdrawal"),
    "live": _("live broadcasts"),
    "commission": _("commission"),
    "penalty": _("penalty"),
    "loan": _("loan"),
    "delivery": _("delivery"),
    "compensation": _("compensation"),
    "placed": _("placed"),
    "paid": _("paid"),
    "shipped": _("shipped"),
    "received": _("received"),
    "completed": _("completed"),
    "closed": _("closed"),
    "open": _("open"),
    "appealing": _("under appeal"),
    "settled": _("settled"),
}

# What is looked at, by the code of the finding. A pack's own conditions bring their own words.
CONDITIONS: Final = {
    "account.violation_open": _("No open violation"),
    "account.restricted": _("No restriction in force"),
    "account.banned": _("Shop neither banned nor expelled"),
    "trade.order_open": _("All orders finished"),
    "trade.after_sale_open": _("All after-sales finished"),
    "trade.dispute_open": _("All disputes closed"),
    "trade.listings_on_sale": _("Nothing on sale"),
    "trade.debt_open": _("No debt open"),
    "trade.balance_not_withdrawn": _("Balance withdrawn"),
    "hold.period_running": _("Holding period over"),
    "hold.closing_notice_running": _("Closing notice over"),
    "deposit.nothing_refundable": _("Something to refund"),
    "deposit.frozen": _("Nothing else frozen"),
}


class Risk(enum.StrEnum):
    """Why one should look closer at an application."""

    LARGE = "large"
    DESIGNATED = "designated"
    CLOSING = "closing"


RISKS: Final = {
    Risk.LARGE: _("Needs two people"),
    Risk.DESIGNATED: _("Not the way it came"),
    Risk.CLOSING: _("Its way back closes"),
}
