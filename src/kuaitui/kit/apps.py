"""The Django app of the kit."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    """Registers the outbox."""

    name = "kuaitui.kit"
    label = "kit"
