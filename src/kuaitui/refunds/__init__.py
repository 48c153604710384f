"""The refund application: from the seller's wish to money at the bank.

Words: an *application* asks for an amount of one deposit; its *state* answers where the money is,
who acts next, by when, and what the seller can do; its *timeline* has a line for every version; a
*decision* says who decided what; an *approval* binds payee, amount, route, revision and policy by a
hash, and is void when any of these changes; a *repair* is another destination after money came back.

Invariants, kept by the database: one open application per deposit; legal transitions only; every
change is a version with its line in the timeline; what was submitted is not rewritten; timeline,
snapshots and decisions are append-only; money moves on a full approval only; the second approver is
not the first; nobody approves what they made or directed.
"""
