"""The Django app of this context."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Registers the tables of ledger."""

    name = "kuaitui.ledger"
    label = "ledger"
