"""The Django app of this context."""

from django.apps import AppConfig


class DepositsConfig(AppConfig):
    """Registers the tables of deposits."""

    name = "kuaitui.deposits"
    label = "deposits"
