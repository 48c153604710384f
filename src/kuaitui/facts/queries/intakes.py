"""What became of an intake."""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.facts.models import Intake
from kuaitui.facts.models import RefusedRow as RefusedRowTable
from kuaitui.facts.types import RefusedRow

ROWS_AT_ONCE = 2_000


def refused_rows(*, intake_key: int) -> Iterator[RefusedRow]:
    """The rows of a file that were not taken, in the order they were met."""
    rows = RefusedRowTable.objects.filter(intake_key=intake_key).order_by("refusal_no")
    for row in rows.iterator(ROWS_AT_ONCE):
        yield RefusedRow(row.file, row.line, row.reason, row.content)


def unfinished_intake_id(*, source: str, file_name: str, but_not_digest: str) -> str | None:
    """The latest intake of a file of that name, but of other content, that stopped half-way."""
    intake = (
        Intake.objects.filter(source=source, file_name=file_name, finished_at=None, rows_read__gt=0)
        .exclude(file_digest=but_not_digest)
        .order_by("-id")
        .first()
    )
    return None if intake is None else intake.public_id
