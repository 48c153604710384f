"""Money out: legs, attempts, query before resend, settle, return."""
