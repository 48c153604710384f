"""Assesses shops through refunds' own queries, and asks for the page that shows it."""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any

import django

from kuaitui.kernel.clock import read_clock, read_stopwatch_s


def main() -> None:
    """Do the asked part."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("mode", choices=["bulk", "pages"])
    arguments.add_argument("--begin-at", type=float, default=0)
    arguments.add_argument("--after", type=int, default=0)
    arguments.add_argument("--up-to", type=int, default=0)
    arguments.add_argument("--pages", type=int, default=200)
    asked = arguments.parse_args()
    django.setup()
    answer = _bulk(asked) if asked.mode == "bulk" else _pages(asked)
    print(json.dumps(answer))


def _bulk(asked: argparse.Namespace) -> dict[str, float]:
    """Every deposit in a range of shops, each result made a value in this process."""
    from kuaitui.policy.types import RefundKind  # noqa: PLC0415 - Django is set up by now
    from kuaitui.refunds.queries import assess_in_bulk  # noqa: PLC0415

    now = read_clock()
    time.sleep(max(0.0, asked.begin_at - read_stopwatch_s()))
    begun = read_stopwatch_s()
    count = eligible = 0
    for found in assess_in_bulk(
        kind=RefundKind.FULL_EXIT, now=now, after_shop_key=asked.after, up_to_shop_key=asked.up_to
    ):
        count += 1
        eligible += found.is_eligible
    return {"count": count, "eligible": eligible, "seconds": read_stopwatch_s() - begun}


def _pages(asked: argparse.Namespace) -> dict[str, Any]:
    """The eligibility page of shops drawn by lot, one after the other, each seen by its seller."""
    draw = random.Random(read_stopwatch_s())
    keys = [draw.randint(asked.after + 1, asked.up_to) for _ in range(asked.pages)]
    milliseconds = []
    for client, path in [_visitor(key, draw.getrandbits(40)) for key in keys]:
        begun = read_stopwatch_s()
        answer = client.get(path, headers={"host": "localhost"})
        milliseconds.append(1000 * (read_stopwatch_s() - begun))
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    return {"milliseconds": milliseconds[10:]}  # the first ones load templates


def _visitor(shop_key: int, number: int) -> tuple[Any, str]:
    """A seller who is logged in, and the page to look at."""
    from django.test import Client  # noqa: PLC0415 - Django is set up by now
    from django.urls import reverse  # noqa: PLC0415

    from kuaitui.accounts.models import User  # noqa: PLC0415
    from kuaitui.accounts.operations import create_user, grant_shop  # noqa: PLC0415
    from kuaitui.accounts.types import Role  # noqa: PLC0415
    from kuaitui.deposits.queries import deposits_of_shop  # noqa: PLC0415
    from kuaitui.facts.queries import find_shop_by_key  # noqa: PLC0415
    from kuaitui.kernel.actor import Actor  # noqa: PLC0415

    now, bench = read_clock(), Actor.system("bench")
    user_id = create_user(
        username=f"bench{number}", display_name="Bench", role=Role.SELLER, password=None,
        actor=bench, now=now,
    )  # fmt: skip
    grant_shop(user_id=user_id, shop_key=shop_key, actor=bench, now=now)
    (deposit,) = deposits_of_shop(shop_key=shop_key)
    client = Client()
    client.force_login(
        User.objects.get(public_id=user_id), backend="django.contrib.auth.backends.ModelBackend"
    )
    shop_id = find_shop_by_key(shop_key=shop_key).id
    return client, reverse("eligibility", args=[shop_id, deposit.account_id])


if __name__ == "__main__":
    main()
