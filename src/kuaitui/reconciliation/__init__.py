"""Our books against what the channels say.

Three stories of one payment are laid side by side: our *ledger* (journals), the channel's *answers*
(what we recorded of its word), and the channel's own *bills*. A bill is a *file*, kept as bytes for
ever; a *reading* is what one parser made of it; its *lines* are what is compared. A *break* is a
place where the stories differ: it has a kind, an age and its evidence, and it is closed by a later
bill or posting, or by two people with a reason.

Invariants: files, readings and lines never change; the same file twice is one file; only a sound
reading that was taken is compared; a break that is closed stays closed; who proposes to close it
does not confirm it; what a correction posts, it posts once, with the break as its reference.
"""
