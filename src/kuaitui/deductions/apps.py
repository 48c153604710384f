"""The Django app of this context."""

from django.apps import AppConfig


class DeductionsConfig(AppConfig):
    """Registers the tables of deduction cases."""

    name = "kuaitui.deductions"
    label = "deductions"
