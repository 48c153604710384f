"""What everything the bank said of a number comes to. Pure; the order of arrival does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kuaitui.channels.bank.reasons import rejection
from kuaitui.channels.bank.words import BankStatus, BankWord, instruction_id
from kuaitui.channels.port import (
    NO_RELEASE_KNOWN,
    Accepted,
    PayoutInstruction,
    QueryOutcome,
    Returned,
    Succeeded,
    Unknown,
)

# The money's own messages. They speak of the number: at most one release of it was ever executed.
_MOVED: Final = frozenset({BankStatus.BOOKED, BankStatus.RETURNED})


def verdict(words: Sequence[BankWord], instruction: PayoutInstruction) -> QueryOutcome | None:
    """The outcome that the bank's words make, or nothing if it said nothing of this release.

    RETURNED overrules BOOKED, and that the other three. BOOKED and REJECTED of one release
    contradict each other: Unknown, until a person has looked. A rejection of an earlier release is
    history; one that does not say of which release it is counts for the first only. Where no release
    is known any more, any word short of the money's says that the bank has the number, but for a
    rejection: it may be of any release, so the statements decide.
    """
    said = [word for word in words if word.number == instruction.number]
    said = [word for word in said if word.status in _MOVED or _is_of(word, instruction)]
    if any(word.amount not in {None, instruction.amount} for word in said):
        return Unknown("amount_differs")
    latest = {word.status: word for word in sorted(said, key=_order)}
    if BankStatus.RETURNED in latest:
        word = latest[BankStatus.RETURNED]
        return Returned(word.reference, word.code or "RETURNED", word.occurred_at)
    if BankStatus.BOOKED in latest:
        if BankStatus.REJECTED in latest:
            return Unknown("booked_and_rejected")
        word = latest[BankStatus.BOOKED]
        return Succeeded(word.reference, word.occurred_at)
    rejected = latest.pop(BankStatus.REJECTED, None)
    if rejected is not None and instruction.release_no != NO_RELEASE_KNOWN:
        return rejection(rejected.code)
    if latest:
        return Accepted(next(iter(latest.values())).reference)
    return None


def _is_of(word: BankWord, instruction: PayoutInstruction) -> bool:
    if instruction.release_no == NO_RELEASE_KNOWN:
        return True
    mine = instruction_id(instruction)
    if word.instruction_id or word.file_id:
        return mine in {word.instruction_id, word.file_id}
    return instruction.release_no == 1


def _order(word: BankWord) -> tuple[object, ...]:
    """A total order, so that the same words in any order give the same verdict."""
    return (word.occurred_at, word.reference, word.code, word.file_id)
