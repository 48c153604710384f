"""What kuaitui withstands, measured: simulated years, killed processes, crashed databases.

`python -m reliability` runs all of it and writes docs/reliability.md; a test runs a smaller helping
of each. The simulation replaces clock, channels and chance; the crashes replace nothing.
"""
