"""Posting."""
