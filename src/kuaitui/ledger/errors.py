"""Refusals of the ledger."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class InsufficientBalance(Refusal):
    """There is not enough money in this account for that."""

    code = "ledger.insufficient_balance"
    kind = RefusalKind.CONFLICT


class BookUnknown(Refusal):
    """There is no such book."""

    code = "ledger.book_unknown"
    kind = RefusalKind.NOT_FOUND


class ReferenceReused(Refusal):
    """This reference was posted before with other amounts."""

    code = "ledger.reference_reused"
    kind = RefusalKind.CONFLICT
