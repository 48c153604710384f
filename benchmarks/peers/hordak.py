"""django-hordak with the least settings it runs with, doing the transfers its manual shows."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import django
from django.conf import settings
from django.core.management import call_command
from psycopg.conninfo import conninfo_to_dict

from benchmarks.peers import pace

ACCOUNTS = 1_000


def main() -> None:
    """Prepare the database, or transfer for the asked time."""
    arguments = pace.parser().parse_args()
    parts = conninfo_to_dict(os.environ["DATABASE_URL"])
    settings.configure(
        SECRET_KEY="benchmark",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts["dbname"],
                "USER": parts["user"],
                "PASSWORD": parts["password"],
                "HOST": parts["host"],
                "CONN_MAX_AGE": None,
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        DEFAULT_CURRENCY="CNY",
        HORDAK_CURRENCIES=["CNY"],
        HORDAK_INTERNAL_CURRENCY="CNY",
    )
    django.setup()
    if arguments.mode == "prepare":
        _prepare()
    else:
        pace.repeat(_transfers(), begin_at=arguments.begin_at, seconds=arguments.seconds)


def _prepare() -> None:
    from hordak.models import Account  # noqa: PLC0415 - Django is set up by now

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        Account.objects.create(
            name=f"Deposit {number}", code=f"{number:05d}", type="LI", currencies=["CNY"]
        )


def _transfers() -> Callable[[], int]:
    from django.db import transaction  # noqa: PLC0415
    from hordak.models import Account  # noqa: PLC0415
    from moneyed import Money  # noqa: PLC0415

    accounts, amount = list(Account.objects.all()), Money("0.01", "CNY")

    def step() -> int:
        source, target = random.sample(accounts, 2)
        with transaction.atomic():
            source.transfer_to(target, amount)
        return 1

    return step


if __name__ == "__main__":
    main()
