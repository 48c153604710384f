"""The Django app of this interface."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Registers the templates and words of the console."""

    name = "kuaitui.interfaces.console"
    label = "console"
