"""A payment channel of our own: a separate server with its own durable book, and the client for it.

The server stands for a real channel in demo and tests, with its faults on demand, and is the oracle
there: what its book says was paid must equal what our books say. `client` is the adapter; `server`,
`book` and `faults` share nothing with it but the signatures of `signing`.
"""
