"""Our books against what the channels say.

Words: a *break* is a place where they do not agree. Today one comparison exists: every number that
was ever sent on a channel, by our ledger and by the channel's own book.
"""
