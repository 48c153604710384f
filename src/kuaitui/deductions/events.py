"""What deduction cases tell the contexts above."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeductionCaseMoved:
    """A case is another than before. `amount_minor` is what `code` is about: announced, taken, or
    given back.
    """

    case_id: str
    account_id: str
    shop_key: int
    version: int
    code: str
    amount_minor: int
    currency: str
    occurred_at: dt.datetime
