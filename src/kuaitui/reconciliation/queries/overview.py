"""What waits for people about bills, in numbers: for the work list, the doctor and whoever watches."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef

from kuaitui.reconciliation.models import BillDay, BreakRow, StatementReading
from kuaitui.reconciliation.types import BreakState, ReadingState


@dataclass(frozen=True, slots=True)
class BillsOverview:
    """Everything about bills that is not as it should be, of all days."""

    open_count: int
    """Differences that wait for a later bill or for people."""
    dangerous_count: int
    """Those of them by which money could be going wrong."""
    late_count: int
    """Bills that should be here and are not."""
    refused_count: int
    """Days of which every bill that came was refused."""
    waiting_count: int
    """Further files of a day that a person must decide on."""
    damaged_count: int
    """Kept files whose bytes are not those that came."""

    @property
    def needs_people(self) -> bool:
        """Whether anything is to be looked at."""
        return any(
            (
                self.open_count,
                self.late_count,
                self.refused_count,
                self.waiting_count,
                self.damaged_count,
            )
        )


def bills_overview() -> BillsOverview:
    """What waits for people, counted now."""
    breaks = BreakRow.objects.exclude(state=BreakState.CLOSED)
    return BillsOverview(
        open_count=breaks.count(),
        dangerous_count=breaks.filter(is_dangerous=True).count(),
        late_count=BillDay.objects.filter(late_at__isnull=False, reading=None).count(),
        refused_count=_refused(),
        waiting_count=_waiting(),
        damaged_count=_damaged(),
    )


def _refused() -> int:
    refused = StatementReading.objects.filter(
        state=ReadingState.REFUSED,
        file__channel=OuterRef("channel"),
        file__bill=OuterRef("bill"),
        file__day=OuterRef("day"),
    )
    return BillDay.objects.filter(Exists(refused), reading=None).count()


def _waiting() -> int:
    sound = [ReadingState.READ, ReadingState.EMPTY]
    rows = StatementReading.objects.filter(file__decision=None, state__in=sound)
    return rows.values("file").distinct().count()


def _damaged() -> int:
    """Of the few that were ever found damaged, those that still are: a backup may have mended them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM reconciliation_damaged_file AS found"
            " JOIN reconciliation_file AS file ON file.id = found.file_id"
            " WHERE encode(sha256(file.content), 'hex') <> file.sha256"
        )
        return int(cursor.fetchone()[0])
