"""Tables of reconciliation. Private to this context.

What a constraint cannot say, the triggers of migration 0002 do.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.channels.port import LineKind, StatementKind
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    DifferenceKind,
    Event,
    ReadingState,
    Remedy,
    Source,
)


class StatementFile(models.Model):
    """A channel's bill of one day, byte for byte as it came. Never changed, never deleted."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    channel = models.CharField(max_length=40)
    bill = models.CharField(max_length=10)
    day = models.DateField()
    version = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    file_name = models.CharField(max_length=200)
    source = models.CharField(max_length=10)
    brought_by = models.CharField(max_length=80)
    brought_at = models.DateTimeField()

    class Meta:
        db_table = "reconciliation_file"
        constraints = [
            # The same file twice is one file, and moves nothing.
            models.UniqueConstraint(
                fields=["channel", "bill", "day", "sha256"], name="a_file_is_kept_once"
            ),
            models.UniqueConstraint(
                fields=["channel", "bill", "day", "version"], name="files_of_a_day_are_numbered"
            ),
            models.CheckConstraint(
                name="bill_kind_is_known", condition=Q(bill__in=[k.value for k in StatementKind])
            ),
            models.CheckConstraint(
                name="file_source_is_known", condition=Q(source__in=[s.value for s in Source])
            ),
            models.CheckConstraint(name="somebody_brought_it", condition=~Q(brought_by="")),
            models.CheckConstraint(name="a_version_counts_from_one", condition=Q(version__gt=0)),
        ]

    def __str__(self) -> str:
        return self.public_id


class DamagedFile(models.Model):
    """A file whose bytes were once found not to be those that came."""

    file = models.OneToOneField(
        StatementFile, on_delete=models.PROTECT, primary_key=True, related_name="damage"
    )
    found_at = models.DateTimeField()

    class Meta:
        db_table = "reconciliation_damaged_file"

    def __str__(self) -> str:
        return f"damage of {self.file_id}"


class StatementReading(models.Model):
    """What one parser made of a file. Reading again makes another one."""

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="readings")
    parser = models.CharField(max_length=80)
    read_at = models.DateTimeField()
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True)
    line_no = models.IntegerField()
    lines_count = models.IntegerField()
    lines_sha256 = models.CharField(max_length=64)
    closing_minor = models.BigIntegerField(null=True)
    """What lay on the account at the end of the day by the bill, where it says so."""
    closing_currency = models.CharField(max_length=3, default="", db_default="", blank=True)

    class Meta:
        db_table = "reconciliation_reading"
        constraints = [
            models.CheckConstraint(
                name="a_closing_balance_has_its_currency",
                condition=Q(closing_minor=None, closing_currency="")
                | (Q(closing_minor__isnull=False, state="read") & ~Q(closing_currency="")),
            ),
            models.UniqueConstraint(fields=["file", "parser"], name="a_parser_reads_a_file_once"),
            models.CheckConstraint(
                name="reading_state_is_known",
                condition=Q(state__in=[state.value for state in ReadingState]),
            ),
            models.CheckConstraint(
                name="a_refusal_has_its_reason", condition=~Q(state="refused", reason="")
            ),
            models.CheckConstraint(
                name="only_what_was_read_has_lines", condition=Q(state="read") | Q(lines_count=0)
            ),
            models.CheckConstraint(
                name="counts_of_a_reading_are_not_negative",
                condition=Q(lines_count__gte=0, line_no__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"reading of {self.file_id}"


class LineRow(models.Model):
    """One line of a bill, as it was read. `event` is empty where no book of ours tells of it.

    A row of the file may be several lines, one of each kind: a payment and its fee.
    """

    pk = models.CompositePrimaryKey("reading_id", "line_no", "kind")
    reading = models.ForeignKey(
        StatementReading, on_delete=models.PROTECT, db_index=False, related_name="lines"
    )
    line_no = models.IntegerField()
    kind = models.CharField(max_length=10)
    event = models.CharField(max_length=10, blank=True)
    key = models.CharField(max_length=80, db_index=True)
    number = models.CharField(max_length=80, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    state = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "reconciliation_line"
        constraints = [
            models.CheckConstraint(name="line_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="line_number_is_positive", condition=Q(line_no__gt=0)),
            models.CheckConstraint(
                name="line_kind_is_known", condition=Q(kind__in=[kind.value for kind in LineKind])
            ),
            models.CheckConstraint(
                name="a_line_is_of_our_events_or_of_none",
                condition=Q(event="") | Q(event__in=[event.value for event in Event]),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line_no}"


class RepeatedItem(models.Model):
    """An item that one reading tells in several lines. The database notes it when the lines come.

    The bulk comparison compares line by line, so these are always looked at with all their lines.
    """

    pk = models.CompositePrimaryKey("reading_id", "event", "key")
    reading = models.ForeignKey(
        StatementReading, on_delete=models.PROTECT, db_index=False, related_name="repeated_items"
    )
    event = models.CharField(max_length=10)
    key = models.CharField(max_length=80)

    class Meta:
        db_table = "reconciliation_repeated_item"

    def __str__(self) -> str:
        return f"{self.event} {self.key}"


class FileDecision(models.Model):
    """A file was taken as the one to compare, or was put aside, by whom and why."""

    file = models.OneToOneField(
        StatementFile, on_delete=models.PROTECT, primary_key=True, related_name="decision"
    )
    is_taken = models.BooleanField()
    decided_by = models.CharField(max_length=80)
    decided_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        db_table = "reconciliation_file_decision"
        constraints = [
            models.CheckConstraint(
                name="a_file_is_decided_with_a_reason", condition=~Q(reason="") & ~Q(decided_by="")
            ),
        ]

    def __str__(self) -> str:
        return f"decision about {self.file_id}"


class BillDay(models.Model):
    """One bill of one day: which reading is compared, and how the fetching goes."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=40)
    bill = models.CharField(max_length=10)
    day = models.DateField()
    reading = models.ForeignKey(StatementReading, on_delete=models.PROTECT, null=True)
    compared_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    problem = models.CharField(max_length=120, default="", blank=True)
    late_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reconciliation_bill_day"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "bill", "day"], name="a_day_has_each_bill_once"
            ),
            models.CheckConstraint(
                name="only_a_read_bill_is_compared",
                condition=Q(compared_at=None) | Q(reading__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="reconciliation_bill_due",
                condition=Q(next_try_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.bill} {self.day}"


class BreakRow(models.Model):
    """One place where a bill and our books differ, from the day it was found until it is closed."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    channel = models.CharField(max_length=40)
    bill = models.CharField(max_length=10)
    event = models.CharField(max_length=10)
    key = models.CharField(max_length=80)
    day = models.DateField()
    kind = models.CharField(max_length=20)
    ours_minor = models.BigIntegerField()
    theirs_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    book_id = models.BigIntegerField()
    evidence = models.JSONField()
    found_at = models.DateTimeField()
    version = models.IntegerField(default=1)
    is_dangerous = models.BooleanField()
    stopped_sending_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, default=BreakState.OPEN)
    remedy = models.CharField(max_length=20, default="", blank=True)
    proposed_by = models.CharField(max_length=80, default="", blank=True)
    proposed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, default="", blank=True)
    confirmed_by = models.CharField(max_length=80, default="", blank=True)
    closing = models.CharField(max_length=15, default="", blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_because = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        db_table = "reconciliation_break"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "bill", "event", "key"],
                name="an_item_has_one_open_break",
                condition=~Q(state="closed"),
            ),
            models.CheckConstraint(
                name="break_words_are_known",
                condition=Q(
                    kind__in=[kind.value for kind in DifferenceKind],
                    event__in=[event.value for event in Event],
                    bill__in=[kind.value for kind in StatementKind],
                    state__in=[state.value for state in BreakState],
                ),
            ),
            models.CheckConstraint(
                name="break_amounts_are_not_negative",
                condition=Q(ours_minor__gte=0, theirs_minor__gte=0),
            ),
            models.CheckConstraint(
                name="a_proposal_has_its_reason",
                condition=Q(proposed_by="", proposed_at=None, remedy="", reason="")
                | (
                    ~Q(proposed_by="")
                    & ~Q(reason="")
                    & Q(proposed_at__isnull=False, remedy__in=[r.value for r in Remedy])
                ),
            ),
            models.CheckConstraint(
                name="a_break_is_proposed_by_somebody",
                condition=~Q(state="proposed") | ~Q(proposed_by=""),
            ),
            models.CheckConstraint(
                name="a_closed_break_says_how",
                condition=(~Q(state="closed") & Q(closing="", closed_at=None, closed_because=""))
                | (
                    Q(state="closed", closed_at__isnull=False)
                    & Q(closing__in=[closing.value for closing in Closing])
                    & ~Q(closed_because="")
                ),
            ),
            # Maker is not checker.
            models.CheckConstraint(
                name="a_break_is_confirmed_by_somebody_else",
                condition=(~Q(closing="by_two") & Q(confirmed_by=""))
                | (
                    Q(closing="by_two")
                    & ~Q(confirmed_by="")
                    & ~Q(proposed_by="")
                    & ~Q(confirmed_by=F("proposed_by"))
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "day"], name="reconciliation_break_of_day"),
            models.Index(
                fields=["found_at"],
                name="reconciliation_break_open",
                condition=~Q(state="closed"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class CrossedItem(models.Model):
    """An item that agrees although its line and its posting are of different days.

    When the bill of the posting's own day comes, it may have a line too: a second payment. So the
    item is looked at again then, which nothing else would make us do.
    """

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=40)
    bill = models.CharField(max_length=10)
    event = models.CharField(max_length=10)
    key = models.CharField(max_length=80)
    posted_on = models.DateField()

    class Meta:
        db_table = "reconciliation_crossed_item"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "bill", "posted_on", "event", "key"],
                name="an_item_crosses_a_day_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.key}"


class BreakStep(models.Model):
    """What happened to a break, one row for each step, for ever."""

    pk = models.CompositePrimaryKey("found_id", "number")
    found = models.ForeignKey(
        BreakRow, on_delete=models.PROTECT, db_index=False, related_name="steps"
    )
    number = models.IntegerField()
    what = models.CharField(max_length=20)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    facts = models.JSONField()

    class Meta:
        db_table = "reconciliation_break_step"

    def __str__(self) -> str:
        return f"step {self.number}"
