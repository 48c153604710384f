"""Double entry, append-only: one book per deposit account, one currency per book.

Words: a *book* has nine *accounts*; a *journal* is one business event; an *entry* (a line of it)
debits one account and credits another of the same book by one positive amount, so it cannot be out
of balance.

Invariants, all kept by the database: journals never change and never leave; journal numbers of a
book have no gaps; a journal has at least one entry and never grows; a business reference is posted
once per book and kind; no account falls below zero on its normal side; debits equal credits in
every book at every moment; only journals move balances.
"""
