"""What the simulator can do wrong on demand. Every fault happens at real channels."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Operation(enum.StrEnum):
    """What a client asks of the channel."""

    SUBMIT = "submit"
    QUERY = "query"


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
    """A notification with a wrong signature comes first, as WeChat's signature probes do."""
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


BEFORE = frozenset(
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


@dataclass(frozen=True, slots=True)
class Rule:
    """When to misbehave: for a number, for every payee whose number ends so, or for all."""

    fault: Fault
    operation: Operation = Operation.SUBMIT
    number: str | None = None
    tail: str | None = None
    times: int | None = None
    seconds: float = 0.0
    code: str = ""

    def applies_to(self, operation: Operation, number: str, tail: str) -> bool:
        """Whether this call is meant."""
        return (
            self.operation is operation
            and self.number in {None, number}
            and self.tail in {None, tail}
        )


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

    def code(self, fault: Fault) -> str:
        """The rule's code, or the usual one."""
        rule = self._rules.get(fault)
        return (rule.code if rule else "") or DEFAULT_CODES.get(fault, "")

    def before_acceptance(self) -> Fault | None:
        """The first fault that keeps the instruction out."""
        return next((fault for fault in self._rules if fault in BEFORE), None)


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
