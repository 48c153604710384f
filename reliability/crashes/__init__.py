"""Real processes killed under load: workers, web and PostgreSQL, at named points and at any moment.

Nothing is replaced. Workers, pages, the simulated channel and the database are processes of their
own; the channel forgets numbers, so whatever is sent twice is paid twice. Only process death is
shown: power loss is PostgreSQL's own promise with `fsync` on, which is on here.
"""
