"""`kuaitui payouts`: look at the hold, begin one, and release it by two people."""

from __future__ import annotations

import argparse
import getpass

import django

from kuaitui.interfaces.cli.database import start_database
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind

OPERATOR = Actor.system("operator")


class MayNotRelease(Refusal):
    """The user name or password is wrong, or this person may not release payouts."""

    code = "cli.may_not_release"
    kind = RefusalKind.FORBIDDEN


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("status", help="whether payouts are on hold, and what was not asked yet")
    hold = actions.add_parser("hold", help="send nothing until the channels were asked about all")
    hold.add_argument("--reason", required=True, help="why, for colleagues and the audit trail")
    release = actions.add_parser(
        "release", help="propose to go on, or confirm what somebody else proposed"
    )
    release.add_argument("--user", required=True, help="who you are; your password is asked for")
    release.add_argument(
        "--finding", default="", help="what was found; without it, what was proposed is confirmed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and say how it stands; 1 while payouts are on hold."""
    start_database()
    django.setup()
    from kuaitui.payouts import operations  # noqa: PLC0415 - needs Django

    match arguments.action:
        case "hold":
            operations.hold_sending(reason=arguments.reason, actor=OPERATOR, now=read_clock())
        case "release":
            _release(user=arguments.user, finding=arguments.finding)
    return _say()


def _release(*, user: str, finding: str) -> None:
    from kuaitui.payouts import operations  # noqa: PLC0415 - needs Django

    actor = _person(user)
    if finding:
        operations.propose_release(finding=finding, actor=actor, now=read_clock())
    else:
        operations.confirm_release(actor=actor, now=read_clock())


def _person(name: str) -> Actor:
    """Whoever knows the password of somebody who may release: a shell alone is no second person."""
    from django.contrib.auth.backends import ModelBackend  # noqa: PLC0415 - needs Django

    from kuaitui.accounts.queries import viewer_of  # noqa: PLC0415
    from kuaitui.accounts.rules import Permission, may  # noqa: PLC0415

    password = getpass.getpass(f"Password of {name}: ")
    user = ModelBackend().authenticate(None, username=name, password=password)
    viewer = viewer_of(user) if user is not None else None
    if viewer is None or not may(viewer, Permission.PAYOUT_HOLD, None):
        raise MayNotRelease
    return viewer.actor


def _say() -> int:
    from kuaitui.payouts.queries import current_hold  # noqa: PLC0415 - needs Django

    hold = current_hold()
    if hold is None:
        print("Payouts are not on hold.")
        return 0
    print(f"Payouts are on hold since {hold.begun_at:%Y-%m-%d %H:%M} UTC: {hold.reason}")
    print(f"Parts whose channel has not given its word yet: {hold.unasked_count}")
    if hold.proposed_at is not None:
        print(f"Proposed for release by {hold.proposed_by}: {hold.finding}")
    return 1
