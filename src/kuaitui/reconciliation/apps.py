"""The Django app of this context."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """Registers the tables of reconciliation."""

    name = "kuaitui.reconciliation"
    label = "reconciliation"
