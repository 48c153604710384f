"""Translations between the outside and the contexts. They decide nothing."""
