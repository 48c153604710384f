"""The Django app of this context."""

from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    """Registers the tables of payouts."""

    name = "kuaitui.payouts"
    label = "payouts"
