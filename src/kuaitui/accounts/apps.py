"""The Django app of this context."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the tables of accounts."""

    name = "kuaitui.accounts"
    label = "accounts"
