"""The process that carries payouts out and keeps clocks."""
