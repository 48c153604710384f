"""What may wait for people about bills, in the words of every command that tells it.

The names are those of `/healthz` and of `kuaitui reconcile --report --json`, and with `_count` behind
them those of `reconciliation.queries.BillsOverview`.
"""

from __future__ import annotations

from typing import Final

WAITS: Final = {
    "open": "open differences",
    "dangerous": "differences by which money could be going wrong",
    "late": "bills that should be here and are not",
    "refused": "days whose bill was refused",
    "waiting": "other files of a day, for a person to decide",
    "damaged": "kept bills whose bytes are not those that came",
}
