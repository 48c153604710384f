"""The Django app of this context."""

from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    """Registers the tables of payouts and what sets money on its way."""

    name = "kuaitui.payouts"
    label = "payouts"

    def ready(self) -> None:
        """Listen to the news."""
        from kuaitui.payouts import handlers  # noqa: F401, PLC0415 - after all models are loaded
