"""Eligibility that explains itself: pure Python, no Django, no clock."""
