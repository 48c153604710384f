"""The Django app of this context."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers the tables of notifications."""

    name = "kuaitui.notifications"
    label = "notifications"
