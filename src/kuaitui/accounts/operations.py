"""Making users, giving them shops and passwords, and letting them in once by a link."""

from __future__ import annotations

import datetime as dt
import secrets

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from kuaitui.accounts.errors import (
    LinkExpired,
    LinkUnknown,
    LinkUsed,
    NotASeller,
    PasswordTooWeak,
    TooManyShops,
    UsernameTaken,
    UserUnknown,
)
from kuaitui.accounts.models import Membership, OneTimeLink, User
from kuaitui.accounts.rules import (
    SHOPS_OF_ONE_USER_MAX,
    hash_token,
    normal_display_name,
    normal_username,
)
from kuaitui.accounts.types import LinkPurpose, Role
from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.ids import IdPrefix, new_id

PASSWORD_LENGTH_MAX = 1000  # hashing is slow on purpose; nobody types more


def create_user(
    *,
    username: str,
    display_name: str,
    role: Role,
    password: str | None,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Make a user; gives back the public id.

    Without a password the user comes in by one-time links only.

    Raises:
        UsernameInvalid: not 1 to 80 letters, digits or the signs . _ - @.
        DisplayNameInvalid: empty, too long, or not printable.
        PasswordTooWeak: too short, too long or too common.
        UsernameTaken: somebody has this name.
    """
    name = normal_username(username)
    shown = normal_display_name(display_name)
    hashed = _hashed(password)
    public_id = new_id(IdPrefix.USER, now=now)
    with transaction.atomic():
        _, is_new = User.objects.get_or_create(
            username=name,
            defaults={
                "public_id": public_id,
                "display_name": shown,
                "role": role.value,
                "password": hashed,
                "created_at": now,
            },
        )
        if not is_new:
            raise UsernameTaken
        record(
            actor=actor,
            action="accounts.user_created",
            object_id=public_id,
            details={"role": role.value},
            now=now,
        )
    return public_id


@transaction.atomic
def set_password(*, user_id: str, password: str, actor: Actor, now: dt.datetime) -> None:
    """Give a user a new password. Whoever is logged in as this user must log in again.

    Raises:
        UserUnknown: there is no such user, or the user is deactivated.
        PasswordTooWeak: too short, too long or too common.
    """
    hashed = _hashed(password)
    if not User.objects.filter(public_id=user_id, is_active=True).update(password=hashed):
        raise UserUnknown(user_id=user_id)
    record(actor=actor, action="accounts.password_set", object_id=user_id, now=now)


@transaction.atomic
def deactivate_user(*, user_id: str, actor: Actor, now: dt.datetime) -> None:
    """Shut a user out at once: open sessions, passwords and links stop working.

    Raises:
        UserUnknown: there is no such user.
    """
    if not User.objects.filter(public_id=user_id).update(is_active=False):
        raise UserUnknown(user_id=user_id)
    record(actor=actor, action="accounts.user_deactivated", object_id=user_id, now=now)


@transaction.atomic
def reactivate_user(*, user_id: str, actor: Actor, now: dt.datetime) -> bool:
    """Let a user in again who was shut out, by a new link only; whether the user was shut out.

    What let them in before stays dead: the password is void, with it every open session, and links
    that were not used yet are used up. Shops and role are as they were.

    Raises:
        UserUnknown: there is no such user.
    """
    user = User.objects.select_for_update().filter(public_id=user_id).first()
    if user is None:
        raise UserUnknown(user_id=user_id)
    if user.is_active:
        return False
    user.is_active, user.password = True, make_password(None)
    user.save(update_fields=["is_active", "password"])
    OneTimeLink.objects.filter(user=user, used_at=None).update(used_at=now)
    record(actor=actor, action="accounts.user_reactivated", object_id=user_id, now=now)
    return True


@transaction.atomic
def grant_shop(*, user_id: str, shop_key: int, actor: Actor, now: dt.datetime) -> None:
    """Let a seller see and act for a shop. Granting twice changes nothing.

    Raises:
        UserUnknown: there is no such user.
        NotASeller: staff reach shops through their role, never as members.
        TooManyShops: this seller holds as many as one log-in may.
    """
    # The row lock makes counting and adding one step.
    user = User.objects.select_for_update().filter(public_id=user_id).first()
    if user is None:
        raise UserUnknown(user_id=user_id)
    if user.role != Role.SELLER:
        raise NotASeller(user_id=user_id)
    if Membership.objects.filter(user=user, shop_key=shop_key).exists():
        return
    if Membership.objects.filter(user=user).count() >= SHOPS_OF_ONE_USER_MAX:
        raise TooManyShops(user_id=user_id)
    Membership.objects.create(user=user, shop_key=shop_key, granted_at=now)
    record(
        actor=actor,
        action="accounts.shop_granted",
        object_id=user_id,
        shop_key=shop_key,
        now=now,
    )


@transaction.atomic
def revoke_shop(*, user_id: str, shop_key: int, actor: Actor, now: dt.datetime) -> None:
    """Take a shop from a seller: from the next page on it is not there. Again is a no-op.

    Raises:
        UserUnknown: there is no such user.
    """
    user = User.objects.select_for_update().filter(public_id=user_id).first()
    if user is None:
        raise UserUnknown(user_id=user_id)
    removed, _ = Membership.objects.filter(user=user, shop_key=shop_key).delete()
    if removed:
        record(
            actor=actor,
            action="accounts.shop_revoked",
            object_id=user_id,
            shop_key=shop_key,
            now=now,
        )


@transaction.atomic
def issue_one_time_link(
    *, user_id: str, lifetime: dt.timedelta, actor: Actor, now: dt.datetime
) -> str:
    """Make a token that logs this user in once; the address is `/link/<token>`.

    The token is given back here and nowhere else; the database keeps a hash.

    Raises:
        UserUnknown: there is no such user, or the user is deactivated.
    """
    user = User.objects.filter(public_id=user_id, is_active=True).first()
    if user is None:
        raise UserUnknown(user_id=user_id)
    token = secrets.token_urlsafe(32)
    OneTimeLink.objects.create(
        user=user,
        purpose=LinkPurpose.LOG_IN.value,
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + lifetime,
    )
    record(actor=actor, action="accounts.link_issued", object_id=user_id, now=now)
    return token


@transaction.atomic
def redeem_one_time_link(*, token: str, now: dt.datetime) -> User:
    """Use the link up and give back the user to log in.

    The row is locked before it is judged, so of two at the same moment one is let in; a trigger
    refuses a second use whoever asks.

    Raises:
        LinkUnknown: no such link, or its user is deactivated.
        LinkUsed: it has let somebody in before.
        LinkExpired: too late.
    """
    links = OneTimeLink.objects.select_for_update(of=("self",)).select_related("user")
    link = links.filter(token_hash=hash_token(token)).first()
    if link is None or not link.user.is_active:
        raise LinkUnknown
    if link.used_at is not None:
        raise LinkUsed
    if link.expires_at <= now:
        raise LinkExpired
    link.used_at = now
    link.save(update_fields=["used_at"])
    actor = Actor(
        ActorKind.SELLER if link.user.role == Role.SELLER else ActorKind.STAFF, link.user.public_id
    )
    record(actor=actor, action="accounts.link_redeemed", object_id=actor.id, now=now)
    return link.user


def _hashed(password: str | None) -> str:
    if password is None:
        return make_password(None)
    if len(password) > PASSWORD_LENGTH_MAX:
        raise PasswordTooWeak
    try:
        validate_password(password)
    except ValidationError:
        raise PasswordTooWeak
    return make_password(password)
