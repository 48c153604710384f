"""The Django app of this context."""

from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers the tables of notifications and listens to the news it tells."""

    name = "kuaitui.notifications"
    label = "notifications"

    def ready(self) -> None:
        """Subscribe to news."""
        import_module("kuaitui.notifications.handlers")
