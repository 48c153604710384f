"""The border to payment channels: port, adapters, simulator. No Django.

Words: an *instruction* says what to pay and carries the number we chose for it, for ever; an
*outcome* is what a channel's answer means to us.

Invariants: `submit` and `query` return exactly one outcome and raise nothing for channel trouble;
what an adapter does not know to map is `Unknown`; an adapter holds no clock, no retries, no tables.
"""
