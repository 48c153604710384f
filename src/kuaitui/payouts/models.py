"""Tables of payouts. Private to this context."""
