"""Checks of the database: reachable, durable, complete, in time; and of what waits in it."""

from __future__ import annotations

import datetime as dt

from django.core import checks
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from kuaitui.interfaces.cli.diagnosis.finding import Finding, fail, ok, warn
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.outbox import oldest_undelivered_at
from kuaitui.payouts.queries import overview

VERSIONS = range(16, 19)
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
DURABLE_VALUES = {"on", "remote_write", "remote_apply", "local"}
SKEW_GOOD = dt.timedelta(seconds=2)
SKEW_MAX = dt.timedelta(seconds=30)
NEWS_LATE = dt.timedelta(minutes=5)
NEWS_STALLED = dt.timedelta(hours=1)
UNKNOWN_LONG = dt.timedelta(hours=2)
UNKNOWN_TOO_LONG = dt.timedelta(days=1)
NOT_ASKED = "not asked, since the database does not answer"


def reachable(*, is_embedded: bool) -> Finding:
    """Whether it answers. Nothing of the address is shown: it may hold a password."""
    try:
        connection.ensure_connection()
    except Error:
        remedy = (
            "Start it: `kuaitui database start`."
            if is_embedded
            else "Start that server, and see that DATABASE_URL names it, its port and its password."
        )
        which = "embedded database" if is_embedded else "database that DATABASE_URL names"
        return fail("database", f"the {which} does not answer", remedy)
    return ok("database", "answers")


def settings() -> list[Finding]:
    """Version, durability and checksums of the server."""
    return [_version(), _durability(), _checksums()]


def _version() -> Finding:
    major = int(_shown("server_version_num")) // 10_000
    if major not in VERSIONS:
        return fail("database version", f"PostgreSQL {major}", "Use PostgreSQL 16, 17 or 18.")
    return ok("database version", f"PostgreSQL {major}")


def _durability() -> Finding:
    weak = [name for name in DURABLE if _shown(name) not in DURABLE_VALUES]
    if weak:
        remedy = "Switch on in postgresql.conf: without it a power cut loses money that was paid."
        return fail("durability", f"{', '.join(weak)} off", remedy)
    return ok("durability", "commits survive a power cut")


def _checksums() -> Finding:
    if _shown("data_checksums") != "on":
        remedy = "Run `pg_checksums --enable` on the stopped server, to notice bad disks."
        return warn("checksums", "off", remedy)
    return ok("checksums", "on")


def migrations() -> Finding:
    """Whether the schema is what this version expects."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{step.app_label}.{step.name}" for step, _ in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        return fail("schema", f"not applied: {names}{more}", "Run `kuaitui database migrate`.")
    return ok("schema", "up to date")


def clock() -> Finding:
    """Whether we and the database agree on the time."""
    with connection.cursor() as cursor:
        before = read_clock()
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
        after = read_clock()
    skew = max(before - theirs, theirs - after, dt.timedelta(0))
    what = f"{skew.total_seconds():.1f} s apart from the database's"
    remedy = "Let both machines keep time by NTP: deadlines and holding periods hang on it."
    if skew > SKEW_MAX:
        return fail("clock", what, remedy)
    if skew > SKEW_GOOD:
        return warn("clock", what, remedy)
    return ok("clock", what)


def news(now: dt.datetime) -> Finding:
    """Whether news between the parts is delivered."""
    oldest = oldest_undelivered_at()
    waiting = dt.timedelta(0) if oldest is None else now - oldest
    remedy = "See that `kuaitui worker` runs, and look for outbox.delivery_failed in its log."
    what = (
        "nothing waits" if oldest is None else f"the oldest waits since {oldest:%Y-%m-%d %H:%M} UTC"
    )
    if waiting > NEWS_STALLED:
        return fail("news", what, remedy)
    if waiting > NEWS_LATE:
        return warn("news", what, remedy)
    return ok("news", what)


def payouts(now: dt.datetime) -> list[Finding]:
    """Payouts that no worker takes, whose outcome is not known, that wait for a person or are held."""
    seen = overview(now=now)
    since = seen.oldest_unknown_since
    unknown_for = dt.timedelta(0) if since is None else now - since
    what = (
        "every outcome is known"
        if since is None
        else f"one is unknown since {since:%Y-%m-%d %H:%M} UTC"
    )
    remedy = (
        "It is asked again by itself. See the payouts monitor, and ask the channel by its number."
    )
    if unknown_for > UNKNOWN_TOO_LONG:
        findings = [fail("payouts", what, remedy)]
    elif unknown_for > UNKNOWN_LONG:
        findings = [warn("payouts", what, remedy)]
    else:
        findings = [ok("payouts", what)]
    if seen.due_since is not None and now - seen.due_since > NEWS_LATE:
        findings.append(
            fail(
                "payouts",
                f"{seen.due_count} wait for a worker, the first since"
                f" {seen.due_since:%Y-%m-%d %H:%M} UTC",
                "Start `kuaitui worker`; if one runs, look for errors in its log.",
            )
        )
    if seen.hold is not None:
        findings.append(
            fail(
                "payouts",
                f"on hold since {seen.hold.begun_at:%Y-%m-%d %H:%M} UTC: {seen.hold.reason};"
                f" {seen.hold.unasked_count} unasked",
                "See docs/runbooks/after-a-restore.md: two people release it once all was asked.",
            )
        )
    if seen.overdue_count:
        findings.append(
            warn(
                "payouts",
                f"{seen.overdue_count} without a result for too long",
                "See the payouts monitor, and ask the channel's own people by the number.",
            )
        )
    if seen.set_aside_count:
        findings.append(
            warn("payouts", f"{seen.set_aside_count} wait for a person", "See the payouts monitor.")
        )
    findings += [
        warn(
            "payouts", f"stopped on {switch.channel}: {switch.reason}", "Release it in the monitor."
        )
        for switch in seen.switches
        if switch.is_stopped
    ]
    return findings


def deployment() -> Finding:
    """Django's own checks."""
    found = checks.run_checks(include_deployment_checks=True)
    serious = [message for message in found if message.level >= checks.WARNING]
    if serious:
        names = ", ".join(sorted({str(message.id) for message in serious}))
        return warn(
            "deployment",
            f"Django warns: {names}",
            "See `python -m kuaitui.config.manage check --deploy`.",
        )
    return ok("deployment", "Django's checks find nothing")


def _shown(setting: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [setting])
        return str(cursor.fetchone()[0])
