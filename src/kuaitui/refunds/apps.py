"""The Django app of this context."""

from django.apps import AppConfig


class RefundsConfig(AppConfig):
    """Registers the tables of refunds and what moves applications."""

    name = "kuaitui.refunds"
    label = "refunds"

    def ready(self) -> None:
        """Listen to the news."""
        from kuaitui.refunds import handlers  # noqa: F401, PLC0415 - after all models are loaded
