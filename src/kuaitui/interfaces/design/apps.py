"""The Django app of the shared looks."""

from django.apps import AppConfig


class DesignConfig(AppConfig):
    """Registers template tags and components."""

    name = "kuaitui.interfaces.design"
    label = "design"
