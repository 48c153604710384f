"""Double entry, append-only, one book per deposit account."""
