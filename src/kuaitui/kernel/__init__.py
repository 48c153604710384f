"""The words every other package speaks: money, ids, actors, the clock, refusals, invariants.

Pure Python. Nothing here knows Django, a database or a network.
"""
