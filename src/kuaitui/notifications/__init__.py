"""Who is told what, when: reminders a seller asked for, and notices of what happened to their money.

Words: a *reminder* is a seller's wish to be told on the day a deposit can be refunded; a *notice* is
one thing a shop is told. Notices are shown in the seller's pages; mail and messages will carry the
same rows.

Invariants: one open reminder per deposit account; a notice is written once per event.
"""
