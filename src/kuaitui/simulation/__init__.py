"""Deterministic simulation: the real machine on a real PostgreSQL, in a made-up world.

Words: a *history* is everything that happens in one world; a *recipe* decides it, above all by its
*seed*; an *act* is one thing that somebody tries; a *fault* is one kind of misfortune; a *finding*
is something that must be true and was not; the *auditor* is a second, simpler model that finds it.

Invariants:
- the same recipe gives the same history;
- only clock, channels and chance are replaced; every change goes through the operations that pages
  and workers call;
- the auditor imports nothing that it judges.
"""
