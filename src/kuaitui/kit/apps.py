"""The Django app of the kit."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    """Registers the outbox."""

    name = "kuaitui.kit"
    label = "kit"

    def ready(self) -> None:
        """Register our own system checks."""
        from kuaitui.kit import checks  # noqa: F401, PLC0415 - importing registers them
