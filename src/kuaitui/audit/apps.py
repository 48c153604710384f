"""The Django app of this context."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers the tables of audit."""

    name = "kuaitui.audit"
    label = "audit"
