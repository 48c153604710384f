"""The Django app of this context."""

from django.apps import AppConfig


class RefundsConfig(AppConfig):
    """Registers the tables of refunds."""

    name = "kuaitui.refunds"
    label = "refunds"
