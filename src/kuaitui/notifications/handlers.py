"""What happened elsewhere becomes notices."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.kit.outbox import subscribe
from kuaitui.notifications.operations import write_notice
from kuaitui.refunds.events import ApplicationMoved


@subscribe(ApplicationMoved)
def tell_the_shop(event: ApplicationMoved, now: dt.datetime) -> None:
    """Every step of an application is told once."""
    with transaction.atomic():
        write_notice(
            shop_key=event.shop_key,
            code=f"application.{event.code}",
            object_id=event.application_id,
            cause=f"{event.application_id}/{event.number}",
            now=now,
        )
