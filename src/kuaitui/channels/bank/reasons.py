"""What a bank's reason for a rejection means to us. A code that is not here is Unknown.

Codes of the ISO 20022 external code set. Source: reference §1.6; the dictionary of mock-bank 0.9.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kuaitui.channels.port import FailedDefinite, RejectedConfig, Unknown

Rejection = FailedDefinite | RejectedConfig | Unknown

# The payee's side: this account cannot be paid, another one may.
PAYEE: Final = {
    "AC01": "account number is wrong",
    "AC03": "account is not held by that bank",
    "AC04": "account is closed",
    "AC06": "account is blocked",
    "AG01": "transactions of this kind are forbidden on the account",
    "MD07": "payee has died",
    "RC01": "the payee's bank is not known",
    "RR04": "regulatory reason",
}
# These pass: the same number may be sent again in a later batch.
PASSING: Final = {
    "AM04": "our account has not enough money",
    "DT01": "the execution date is in the past",
    "FF01": "the file is not of the agreed form",
    "AM10": "the control sum is wrong",
    "AM18": "the number of transactions is wrong",
}
# The bank refuses us, not the payee: as certain, and mended by us.
OURS: Final = {"AC02": "our account is wrong", "BE05": "the bank does not know us"}
# Both say that the bank has seen it before: no word on what became of it then.
SEEN_BEFORE: Final = frozenset({"AM05", "DUPL"})

TABLE: Final[Mapping[str, Rejection]] = {
    **{code: FailedDefinite(code) for code in PAYEE},
    **{code: FailedDefinite(code, same_key_retry_ok=True) for code in (*PASSING, *OURS)},
}


def rejection(code: str) -> Rejection:
    """What a rejection with that code means."""
    return TABLE.get(code, Unknown(f"rejected_{code or 'without_reason'}"))
