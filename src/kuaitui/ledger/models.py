"""Tables of ledger. Private to this context."""
