"""Money out: legs, attempts, query before resend, settle, return.

Words: a *payout* is what is paid for one application; a *leg* is the part of it that leaves one lot
by one route, under one number of ours, for ever; an *attempt* is one call about a leg, SEND or
QUERY; a *lease* is the time a worker has for it; a *fence* counts claims, so that a worker that
lost its lease cannot record.

Invariants, all kept by the database:
- a leg's number and request never change, and a leg moves along the table in `states` only;
- while an earlier SEND has no definite outcome, the next attempt is a QUERY;
- a leg has one live attempt at most, and its fence only grows;
- the legs that stand add up to the payout;
- a live leg is never forgotten: it has a next check, or it was set aside for people.
"""
