"""Payment channels of our own: separate servers with their own durable books, and who directs them.

A server stands for a real channel in demo and tests, with its faults on demand, and is the oracle
there: what its book says was paid must equal what our books say. `store`, `serving`, `notifier`,
`faults`, `director` and `process` are what all of them share. The plain simulator (`book`, `server`)
speaks a protocol of its own and has its adapter, `client`, beside it; the two share nothing but the
signatures of `signing`. Simulators of institutions are packages here, and their adapters are not.
"""
