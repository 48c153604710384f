"""A payment channel of our own: a separate server with its own book, and the client for it."""
