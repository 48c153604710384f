"""Who is asking."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from kuaitui.accounts.errors import UserUnknown
from kuaitui.accounts.models import Membership, User
from kuaitui.accounts.rules import SHOPS_OF_ONE_USER_MAX
from kuaitui.accounts.types import Role, UserSummary, Viewer


def viewer_of(user: object) -> Viewer | None:
    """The viewer behind a request's user; nobody for an anonymous or deactivated one."""
    if not isinstance(user, User) or not user.is_active:
        return None
    role = Role(user.role)
    return Viewer(
        key=user.pk,
        public_id=user.public_id,
        name=user.display_name,
        role=role,
        shop_keys=_shop_keys(user) if role is Role.SELLER else frozenset(),
    )


def find_viewer(*, user_id: str) -> Viewer:
    """The viewer with this public id.

    Raises:
        UserUnknown: there is none, or the user is deactivated.
    """
    viewer = viewer_of(User.objects.filter(public_id=user_id).first())
    if viewer is None:
        raise UserUnknown(user_id=user_id)
    return viewer


def find_user_id(*, username: str) -> str | None:
    """The public id of the user with this log-in name, or nothing."""
    return User.objects.filter(username=username).values_list("public_id", flat=True).first()


def users(*, role: Role | None = None) -> Iterator[UserSummary]:
    """Everybody who can log in or could, by name; of one role if it is given."""
    rows = User.objects.annotate(shops_count=Count("membership")).order_by("username")
    for user in (rows if role is None else rows.filter(role=role.value)).iterator():
        yield UserSummary(
            username=user.username,
            display_name=user.display_name,
            role=Role(user.role),
            is_active=user.is_active,
            shops_count=user.shops_count,
        )


def display_names(*, user_ids: set[str]) -> dict[str, str]:
    """Names by public id, for pages that say who did what. Unknown ids are left out."""
    users = User.objects.filter(public_id__in=user_ids).values_list("public_id", "display_name")
    return dict(users)


def _shop_keys(user: User) -> frozenset[int]:
    keys = Membership.objects.filter(user=user).values_list("shop_key", flat=True)
    return frozenset(keys[:SHOPS_OF_ONE_USER_MAX])
