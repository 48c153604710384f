"""Members of staff who sit before the staff's pages."""

from __future__ import annotations

from itertools import count

from django.test import Client

from kuaitui.accounts.models import User
from kuaitui.accounts.operations import create_user
from kuaitui.accounts.types import Role
from kuaitui.kernel.actor import Actor, ActorKind
from tests.support.given import NOW

BACKEND = "django.contrib.auth.backends.ModelBackend"
CLERK = Actor.system("given")
PASSWORD = "blue-kettle-thunder-77"
_numbers = count(1)


def staff(role: Role, *, password: str | None = None) -> User:
    """Somebody of the staff."""
    user_id = create_user(
        username=f"{role}-{next(_numbers)}",
        display_name={"reviewer": "李审", "approver": "陈核", "auditor": "周计"}[role],
        role=role,
        password=password,
        actor=CLERK,
        now=NOW,
    )
    return User.objects.get(public_id=user_id)


def actor(user: User) -> Actor:
    """The same as decisions record one."""
    return Actor(ActorKind.STAFF, user.public_id)


def desk(who: Role | User, *, language: str = "en") -> Client:
    """A browser in which somebody of the staff is logged in."""
    client = Client(headers={"accept-language": language})
    client.force_login(staff(who) if isinstance(who, Role) else who, BACKEND)
    return client
