"""The Django app of this context."""

from django.apps import AppConfig


class FactsConfig(AppConfig):
    """Registers the tables of facts."""

    name = "kuaitui.facts"
    label = "facts"
