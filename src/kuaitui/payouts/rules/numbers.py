"""The numbers under which channels know what is paid, and the mark of what is released together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kuaitui.kernel.ids import ALPHABET


def channel_number(channel: str, payment_reference: str, *, nth: int) -> str:
    """The number of the n-th leg of a payment in that is sent.

    It follows from the payment alone, by the channel's name of it: a lot that was lost and reported
    again has another id. After a restore, whoever applies, approves and pays again what was paid in
    the history that was lost comes to the same number, and the channel knows it. Letters and digits
    only, 29 of them: what the narrowest channel takes (WeChat 商家转账: 32).
    """
    return "leg" + _letters(f"payout leg {nth} of {payment_reference} at {channel}")


def send_back_number(channel: str, payment_reference: str, *, nth: int) -> str:
    """The number of the n-th order that was sent to give a payment in suspense back.

    It follows from the payment alone, as a leg's does, and for the same reason.
    """
    return "sbk" + _letters(f"send-back {nth} of {payment_reference} at {channel}")


def _letters(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()) >> 126
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def batch_hash(members: Iterable[tuple[str, int, str, str, int]]) -> str:
    """What a batch is released by: number, amount, currency, approval and release of every leg.

    The database computes the same (`payouts_batch_hash`) and lets go what matches only.
    """
    lines = [" ".join(str(part) for part in member) for member in sorted(members)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
