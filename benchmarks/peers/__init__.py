"""Processes that post as fast as they can: ours in Python, and django-hordak."""
