"""Which channels this installation has."""
