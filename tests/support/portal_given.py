"""Sellers who sit before the seller's pages."""

from __future__ import annotations

from itertools import count

from django.test import Client

from kuaitui.accounts.models import User
from kuaitui.accounts.operations import create_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.kernel.actor import Actor
from tests.support.given import NOW

BACKEND = "django.contrib.auth.backends.ModelBackend"
CLERK = Actor.system("given")
_numbers = count(1)


def seller(*shop_keys: int) -> User:
    """Somebody who looks after these shops."""
    user_id = create_user(
        username=f"portal-seller-{next(_numbers)}",
        display_name="王小明",
        role=Role.SELLER,
        password=None,
        actor=CLERK,
        now=NOW,
    )
    for shop_key in shop_keys:
        grant_shop(user_id=user_id, shop_key=shop_key, actor=CLERK, now=NOW)
    return User.objects.get(public_id=user_id)


def browser(*shop_keys: int, language: str = "en") -> Client:
    """A browser in which that somebody is logged in."""
    client = Client(headers={"accept-language": language})
    client.force_login(seller(*shop_keys), BACKEND)
    return client
