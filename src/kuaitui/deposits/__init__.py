"""What a marketplace holds for its sellers: required, held, frozen, deducted, refunded.

Words: a *deposit account* is one shop's deposit of one kind and currency, with a ledger book of its
own. Each payment into it opens a *lot*, because money goes back the way it came and that way closes
on a date of its own. A *hold* sets money aside while an application is open; a *share* is the part
of a lot that one payout leg carries. A *destination* is a payee account of the same person or
company. A *deduction* is a decided list of items with its calculation.

Invariants, kept by the database: reserved + refunded + deducted never exceed a lot; a channel's
payment opens one lot; a deduction is the sum of its items and of where it was taken from; what was
paid in or deducted is never rewritten.
"""
