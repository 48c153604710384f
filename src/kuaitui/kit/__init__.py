"""Tools without business: the embedded database, locks, idempotent work, language, masking.

They may know Django and PostgreSQL; they know nothing of deposits.
"""
