"""Writing the audit trail."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from django.db import connection

from kuaitui.kernel.actor import Actor
from kuaitui.kit.transactions import requires_transaction

PLATFORM = "platform"


@requires_transaction
def record(
    *,
    actor: Actor,
    action: str,
    object_id: str,
    now: dt.datetime,
    shop_key: int | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Add one act to the trail, in the transaction of the act itself.

    Events of a shop form one chain, all others the platform's. `details` are ids, amounts and
    codes: never a name, an account number or a secret.
    """
    content = {
        "action": action,
        "actor": {"kind": actor.kind.value, "id": actor.id},
        "at": now.isoformat(),
        "details": dict(details or {}),
        "object": object_id,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_event (stream_id, at, content) VALUES (%s, %s, %s)",
            [PLATFORM if shop_key is None else f"shop:{shop_key}", now, text],
        )
