"""Tables of refunds. Private to this context."""
