"""What the simulator can do wrong on demand. Every fault happens at real channels."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final


class Operation(enum.StrEnum):
    """What a client asks of the channel."""

    SUBMIT = "submit"
    """Pay: a refund, a transfer."""
    QUERY = "query"
    CANCEL = "cancel"
    HAND_OVER = "hand_over"
    """Send a stuck refund to a bank card."""
    OPEN_PAY_IN = "open_pay_in"
    QUERY_PAY_IN = "query_pay_in"
    CLOSE_PAY_IN = "close_pay_in"
    PAY = "pay"
    """What the payer does: a rule for it shapes the payment's notification."""
    STATEMENT = "statement"
    """Ask for a bill."""
    DOWNLOAD = "download"
    ANY = "any"
    """In a rule only: whatever is asked."""


class Fault(enum.StrEnum):
    """One way to misbehave."""

    # The instruction never gets in.
    REFUSE = "refuse"
    """Refuse for good, with `code` (ACCOUNT_CLOSED)."""
    NOT_PERMITTED = "not_permitted"
    ERROR_BEFORE = "error_before"
    BUSY_BEFORE = "busy_before"
    DROP_BEFORE = "drop_before"
    ACCEPT_LATER = "accept_later"
    """Close the connection, and accept `seconds` later all the same."""
    # It gets in, and goes its own way.
    SLOW = "slow"
    """Processing takes `seconds`."""
    WANTS_AGAIN = "wants_again"
    """Accepted, and goes on only when the same comes once more, after `seconds` at the earliest."""
    FAIL_LATER = "fail_later"
    """Accepted, then failed for good with `code`."""
    NEEDS_ACTION = "needs_action"
    """Accepted, then waits for a person: `code` says for what."""
    HIDDEN = "hidden"
    """Paid, but unknown to every query for `seconds`."""
    RETURN_LATER = "return_later"
    """Paid, and given back `seconds` later with `code` (退票)."""
    NOTIFY_TWICE = "notify_twice"
    NOTIFY_NEVER = "notify_never"
    NOTIFY_LATE = "notify_late"
    """The notification comes `seconds` later."""
    NOTIFY_FORGED = "notify_forged"
    """A notification with a wrong signature comes first."""
    NOTIFY_PROBE = "notify_probe"
    """A signature probe comes first (WeChat Pay's `WECHATPAY/SIGNTEST/`)."""
    NOTIFY_CHANGED = "notify_changed"
    """A genuine notification comes first whose content somebody changed on the way."""
    NOTIFY_STALE = "notify_stale"
    """A genuine notification comes first that was signed an hour ago."""
    NOTIFY_FIRST = "notify_first"
    """The notification is there before the answer."""
    ABNORMAL = "abnormal"
    """A refund gets stuck at the channel until it is told where to send it."""
    CLOSE_LATE = "close_late"
    """What must be closed by the channel's rules is closed `seconds` later than they say."""
    # What was done is right, the answer is not.
    DROP_ANSWER = "drop_answer"
    ERROR_AFTER = "error_after"
    BUSY_AFTER = "busy_after"
    LATE_ANSWER = "late_answer"
    DRIP_ANSWER = "drip_answer"
    """A byte at a time, so that no single read takes long."""
    GARBAGE = "garbage"
    BAD_SIGNATURE = "bad_signature"
    OTHER_AMOUNT = "other_amount"
    OTHER_NUMBER = "other_number"
    NEW_CODE = "new_code"
    """An error code that no document names."""
    ANSWER_TWICE = "answer_twice"
    UNSIGNED = "unsigned"
    # A bill is not what it should be.
    BILL_LATE = "bill_late"
    """Not made yet."""
    LINE_MISSING = "line_missing"
    LINE_EXTRA = "line_extra"
    LINE_CHANGED = "line_changed"
    """One line says one minor unit more."""
    LINE_DECIMALS = "line_decimals"
    """One amount has three decimals."""
    TOTALS_WRONG = "totals_wrong"
    HASH_WRONG = "hash_wrong"


BEFORE: Final = frozenset(
    {
        Fault.REFUSE,
        Fault.NOT_PERMITTED,
        Fault.ERROR_BEFORE,
        Fault.BUSY_BEFORE,
        Fault.DROP_BEFORE,
        Fault.ACCEPT_LATER,
    }
)
DEFAULT_CODES = {
    Fault.REFUSE: "ACCOUNT_CLOSED",
    Fault.FAIL_LATER: "ACCOUNT_CLOSED",
    Fault.RETURN_LATER: "ACCOUNT_CLOSED",
    Fault.NEEDS_ACTION: "USER_CONFIRM",
}
LOTS: Final = 2**64


@dataclass(frozen=True, slots=True)
class Rule:
    """When to misbehave: for a number, for every payee whose number ends so, or for all.

    `times` limits how often; `chance` lets the seed decide, call by call.
    """

    fault: Fault
    operation: Operation = Operation.SUBMIT
    number: str | None = None
    tail: str | None = None
    times: int | None = None
    seconds: float = 0.0
    code: str = ""
    chance: float = 1.0

    def applies_to(self, operation: Operation, number: str, tail: str) -> bool:
        """Whether this call is meant."""
        return (
            self.operation in {operation, Operation.ANY}
            and self.number in {None, number}
            and self.tail in {None, tail}
        )

    def falls_on(self, lot: str) -> bool:
        """Whether chance wants it for this lot; the same lot always falls the same way."""
        drawn = int.from_bytes(hashlib.sha256(lot.encode()).digest()[:8])
        return drawn < self.chance * LOTS


def parse_rule(document: dict[str, Any]) -> Rule:
    """Read a rule as it is kept and as it comes over the wire.

    Raises:
        ValueError: a field or a value is not one of a rule.
    """
    fields = {"operation": "submit", **document}
    try:
        return Rule(
            **{
                **fields,
                "fault": Fault(fields["fault"]),
                "operation": Operation(fields["operation"]),
            }
        )
    except (TypeError, KeyError) as problem:
        raise ValueError(str(problem)) from problem


class Faults:
    """The faults of one call, looked up by kind."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.fault: rule for rule in rules}

    def __contains__(self, fault: Fault) -> bool:
        return fault in self._rules

    def seconds(self, fault: Fault, default: float = 0.0) -> float:
        """The rule's seconds, or the default where there is no such rule."""
        rule = self._rules.get(fault)
        return default if rule is None else rule.seconds

    def code(self, fault: Fault, usual: str = "") -> str:
        """The rule's code, or the channel's usual one, or the plain simulator's."""
        rule = self._rules.get(fault)
        return (rule.code if rule else "") or usual or DEFAULT_CODES.get(fault, "")

    def before_acceptance(self) -> Fault | None:
        """The first fault that keeps the instruction out."""
        return next((fault for fault in self._rules if fault in BEFORE), None)


# Whatever a network or a channel in trouble does to any call, for soak tests.
TROUBLES: Final = (
    Fault.ERROR_BEFORE,
    Fault.BUSY_BEFORE,
    Fault.DROP_BEFORE,
    Fault.DROP_ANSWER,
    Fault.ERROR_AFTER,
    Fault.BUSY_AFTER,
    Fault.BAD_SIGNATURE,
    Fault.NEW_CODE,
    Fault.NOTIFY_TWICE,
    Fault.NOTIFY_PROBE,
    Fault.NOTIFY_NEVER,
)


def troubles(chance: float) -> tuple[Rule, ...]:
    """Rules by which each trouble meets any call with that chance; the seed says which."""
    return tuple(Rule(fault, Operation.ANY, chance=chance) for fault in TROUBLES)


# What the last four digits of a payee mean in the demo.
DEMO_RULES = (
    Rule(Fault.REFUSE, tail="4001", code="ACCOUNT_CLOSED"),
    Rule(Fault.RETURN_LATER, tail="4002", seconds=2 * 86400, code="ACCOUNT_NAME_MISMATCH"),
    Rule(Fault.DROP_ANSWER, tail="4003"),
    Rule(Fault.DROP_ANSWER, Operation.QUERY, tail="4003"),
    Rule(Fault.SLOW, tail="4004", seconds=86400),
    Rule(Fault.NEEDS_ACTION, tail="4005", code="USER_CONFIRM"),
    Rule(Fault.DROP_ANSWER, tail="4006"),
)
