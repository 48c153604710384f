"""`kuaitui people`: who may log in, and for which shops."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
from typing import Final

import django

from kuaitui.accounts.errors import UserUnknown
from kuaitui.accounts.rules import normal_username
from kuaitui.accounts.types import Role
from kuaitui.interfaces.cli.database import start_database
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal

OPERATOR: Final = Actor.system("operator")
LINK_HOURS, LINK_HOURS_MAX = 24, 24 * 14


class PasswordsDiffer(Refusal):
    """The two passwords are not the same. Nothing was changed; type them again."""

    code = "cli.passwords_differ"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make somebody who can log in, and print a link for it")
    add.add_argument("username")
    add.add_argument("--name", required=True, help="as colleagues and sellers read it")
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    _with_shops(add, required=False)
    _with_hours(add)
    grant = actions.add_parser("grant", help="let a seller see and act for more shops")
    grant.add_argument("username")
    _with_shops(grant, required=True)
    revoke = actions.add_parser("revoke", help="take shops from a seller")
    revoke.add_argument("username")
    _with_shops(revoke, required=True)
    link = actions.add_parser("link", help="print a link that logs somebody in once")
    link.add_argument("username")
    _with_hours(link)
    password = actions.add_parser("password", help="set a password; it is asked for twice")
    password.add_argument("username")
    close = actions.add_parser("close", help="shut somebody out at once, with open pages and links")
    close.add_argument("username")
    reopen = actions.add_parser("reopen", help="let somebody in again, and print a link for it")
    reopen.add_argument("username")
    _with_hours(reopen)
    listing = actions.add_parser("list", help="everybody who can, or could, log in")
    listing.add_argument("--role", choices=[role.value for role in Role])


def _with_shops(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--shop", action="append", default=[], required=required, metavar="ID",
        help="the marketplace's id of a shop; may be given again",
    )  # fmt: skip


def _with_hours(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hours", type=_hours, default=LINK_HOURS, help=f"how long the link is good ({LINK_HOURS})"
    )


def _hours(text: str) -> int:
    hours = int(text)
    if not 0 < hours <= LINK_HOURS_MAX:
        raise argparse.ArgumentTypeError(f"from 1 to {LINK_HOURS_MAX}")
    return hours


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was done.

    Raises:
        UserUnknown, ShopUnknown: nobody, or no shop, is called so.
        PasswordsDiffer: what was typed the second time is another password.
        UsernameTaken and others of `kuaitui.accounts`: as the operations say.
    """
    start_database()
    django.setup()
    match arguments.action:
        case "add":
            _add(arguments)
        case "grant":
            _grant(_id_of(arguments.username), _shop_keys(arguments.shop))
            print(f"{arguments.username} may act for {', '.join(arguments.shop)}.")
        case "revoke":
            _revoke(_id_of(arguments.username), _shop_keys(arguments.shop))
            print(f"{arguments.username} may no longer act for {', '.join(arguments.shop)}.")
        case "link":
            _print_link(_id_of(arguments.username), arguments.hours)
        case "password":
            _set_password(arguments.username)
        case "close":
            _close(arguments.username)
        case "reopen":
            _reopen(arguments.username, arguments.hours)
        case "list":
            _list(arguments.role)
    return 0


def _add(arguments: argparse.Namespace) -> None:
    from django.db import transaction  # noqa: PLC0415 - needs Django

    from kuaitui.accounts.operations import create_user  # noqa: PLC0415

    with transaction.atomic():
        keys = _shop_keys(arguments.shop)
        user_id = create_user(
            username=arguments.username, display_name=arguments.name, role=Role(arguments.role),
            password=None, actor=OPERATOR, now=read_clock(),
        )  # fmt: skip
        _grant(user_id, keys)
    print(f"{arguments.username} can log in as {arguments.role}.")
    _print_link(user_id, arguments.hours)


def _grant(user_id: str, shop_keys: list[int]) -> None:
    from django.db import transaction  # noqa: PLC0415 - needs Django

    from kuaitui.accounts.operations import grant_shop  # noqa: PLC0415

    with transaction.atomic():
        for shop_key in shop_keys:
            grant_shop(user_id=user_id, shop_key=shop_key, actor=OPERATOR, now=read_clock())


def _revoke(user_id: str, shop_keys: list[int]) -> None:
    from django.db import transaction  # noqa: PLC0415 - needs Django

    from kuaitui.accounts.operations import revoke_shop  # noqa: PLC0415

    with transaction.atomic():
        for shop_key in shop_keys:
            revoke_shop(user_id=user_id, shop_key=shop_key, actor=OPERATOR, now=read_clock())


def _print_link(user_id: str, hours: int) -> None:
    from django.conf import settings  # noqa: PLC0415 - needs Django

    from kuaitui.accounts.operations import issue_one_time_link  # noqa: PLC0415

    lifetime = dt.timedelta(hours=hours)
    now = read_clock()
    token = issue_one_time_link(user_id=user_id, lifetime=lifetime, actor=OPERATOR, now=now)
    named = [host for host in settings.ALLOWED_HOSTS if host not in settings.LOCAL_HOSTS]
    pages = f"https://{named[0]}" if named else "(the address of your pages)"
    print(f"This link logs in once, until {now + lifetime:%Y-%m-%d %H:%M} UTC:")
    print(f"  {pages}/link/{token}")


def _set_password(username: str) -> None:
    from kuaitui.accounts.operations import set_password  # noqa: PLC0415 - needs Django

    user_id = _id_of(username)
    password = getpass.getpass(f"New password of {username}: ")
    if getpass.getpass("Again: ") != password:
        raise PasswordsDiffer
    set_password(user_id=user_id, password=password, actor=OPERATOR, now=read_clock())
    print(f"{username} has a new password, and logs in again everywhere.")


def _close(username: str) -> None:
    from kuaitui.accounts.operations import deactivate_user  # noqa: PLC0415 - needs Django

    deactivate_user(user_id=_id_of(username), actor=OPERATOR, now=read_clock())
    print(f"{username} is shut out.")


def _reopen(username: str, hours: int) -> None:
    from kuaitui.accounts.operations import reactivate_user  # noqa: PLC0415 - needs Django

    user_id = _id_of(username)
    if not reactivate_user(user_id=user_id, actor=OPERATOR, now=read_clock()):
        print(f"{username} is not shut out. Nothing was changed.")
        return
    print(f"{username} can log in again, by a new link; an old password is void.")
    _print_link(user_id, hours)


def _list(role: str | None) -> None:
    from kuaitui.accounts.queries import users  # noqa: PLC0415 - needs Django

    for user in users(role=Role(role) if role else None):
        shops = f", {user.shops_count} shops" if user.role is Role.SELLER else ""
        closed = "" if user.is_active else ", shut out"
        print(f"{user.username}  {user.role}  {user.display_name}{shops}{closed}")


def _id_of(username: str) -> str:
    from kuaitui.accounts.queries import find_user_id  # noqa: PLC0415 - needs Django

    user_id = find_user_id(username=normal_username(username))
    if user_id is None:
        raise UserUnknown(username=username)
    return user_id


def _shop_keys(shop_ids: list[str]) -> list[int]:
    from kuaitui.facts.queries import find_shop  # noqa: PLC0415 - needs Django

    return [find_shop(shop_id=shop_id).key for shop_id in shop_ids]
