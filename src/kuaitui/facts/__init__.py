"""What the marketplace reports of its shops, as reported and as it stands.

Words: a *shop*; its *orders*; *cases* (after-sales, disputes, violations); *restrictions*; *debts*;
a *report* says how one of them stood at a moment (`status_at`); an *intake* is one delivery of
reports; the *summary* of a shop is what a bulk assessment needs of it in one row.

Invariants: reports are never changed or removed. The state of a thing is its greatest report,
ordered by `status_at`, then by the status' rank, then by the rest of its content; so the same
report twice, late or out of order ends in the same state. The summary is written by triggers only.
"""
