"""What changes a deduction case. Each owns its transaction."""

from kuaitui.deductions.operations.announce import announce_deduction
from kuaitui.deductions.operations.appeal import answer_appeal, appeal_deduction
from kuaitui.deductions.operations.decide import drop_deduction, take_items
from kuaitui.deductions.operations.reply import reply_to_deduction
from kuaitui.deductions.operations.sweep import sweep_due

__all__ = [
    "announce_deduction",
    "answer_appeal",
    "appeal_deduction",
    "drop_deduction",
    "reply_to_deduction",
    "sweep_due",
    "take_items",
]
