"""The Django app of this interface."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Registers the templates and words of the portal."""

    name = "kuaitui.interfaces.portal"
    label = "portal"
