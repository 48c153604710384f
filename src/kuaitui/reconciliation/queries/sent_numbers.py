"""Whether ledger and channels tell the same story."""

from __future__ import annotations

from collections.abc import Mapping

from kuaitui.payouts.queries import with_payees
from kuaitui.reconciliation.rules.sent_numbers import compare
from kuaitui.reconciliation.types import Comparison, WithPayee


def compare_with_channel(*, channel: str, theirs: Mapping[str, WithPayee]) -> Comparison:
    """Compare our ledger with a channel's own account of every number.

    `theirs` is what the channel says, by the number we chose. Money under way is a break until
    both sides have recorded it, so compare when the worker is idle.
    """
    ours = {number: WithPayee(*counts) for number, counts in with_payees(channel=channel).items()}
    return compare(ours, theirs)
