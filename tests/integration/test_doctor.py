"""The doctor looks at a database, and at an installation whose database is down."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from argparse import Namespace

import pytest
from django.db.migrations.recorder import MigrationRecorder

from kuaitui.channels.port import Unknown
from kuaitui.demo.processes import console_script
from kuaitui.interfaces.cli import doctor
from kuaitui.interfaces.cli.diagnosis import database
from kuaitui.interfaces.cli.diagnosis.finding import Verdict
from kuaitui.kit import outbox
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import operations as payout_operations
from kuaitui.payouts.types import ALL_CHANNELS
from tests.support import given, payouts_given
from tests.support.given import NOW

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


@pytest.mark.django_db
def test_the_embedded_database_has_a_version_we_know_and_checksums():
    found = {finding.check: finding for finding in database.settings()}

    assert found["database version"].verdict is OK
    assert found["checksums"].verdict is OK


@pytest.mark.django_db
def test_settings_that_lose_commits_are_a_fault(raw_sql):
    # The tests' own server is hasty, which is exactly what must be found.
    hasty = {finding.check: finding for finding in database.settings()}["durability"]

    assert hasty.verdict is FAIL
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert name in hasty.what
    raw_sql("SET LOCAL synchronous_commit = on")
    assert "synchronous_commit" not in database.settings()[1].what


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_named(raw_sql):
    assert database.migrations().verdict is OK
    MigrationRecorder.Migration.objects.filter(app="ledger", name="0002_posting").delete()

    finding = database.migrations()

    assert finding.verdict is FAIL
    assert "ledger.0002_posting" in finding.what


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, OK), (10, WARN), (-10, WARN), (3600, FAIL), (-3600, FAIL)]
)
def test_clocks_that_differ_are_found(monkeypatch, seconds, verdict):
    real = database.read_clock
    monkeypatch.setattr(database, "read_clock", lambda: real() + dt.timedelta(seconds=seconds))

    assert database.clock().verdict is verdict


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (None, OK),
        (dt.timedelta(minutes=1), OK),
        (dt.timedelta(minutes=6), WARN),
        (dt.timedelta(hours=2), FAIL),
    ],
)
def test_news_that_nobody_delivers_is_found(age, verdict):
    OutboxRow.objects.all().delete()
    if age is not None:
        OutboxRow.objects.create(
            event="test.Event", payload={}, published_at=NOW - age, deliver_after=NOW
        )

    assert (outbox.oldest_undelivered_at() is None) == (age is None)
    assert database.news(NOW).verdict is verdict


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waiting", "verdict"),
    [
        (dt.timedelta(minutes=1), OK),
        (dt.timedelta(hours=3), WARN),
        (dt.timedelta(days=2), FAIL),
    ],
)
def test_an_outcome_that_stays_unknown_is_found(waiting, verdict):
    world = payouts_given.payout()
    payouts_given.claim(world, now=NOW)

    assert database.payouts(NOW + waiting)[0].verdict is verdict


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waited", "verdicts"), [(dt.timedelta(minutes=4), [OK]), (dt.timedelta(minutes=6), [OK, FAIL])]
)
def test_payouts_that_no_worker_takes_are_found(waited, verdicts):
    payouts_given.payout()

    found = database.payouts(NOW + waited)

    assert [finding.verdict for finding in found] == verdicts
    assert all("1 wait for a worker" in finding.what for finding in found[1:])


@pytest.mark.django_db
def test_held_payouts_are_said():
    assert [finding.verdict for finding in database.payouts(NOW)] == [OK]
    payouts_given.stop(ALL_CHANNELS)

    assert [finding.verdict for finding in database.payouts(NOW)] == [OK, WARN]


@pytest.mark.django_db
def test_a_hold_and_an_overdue_result_are_said():
    world = payouts_given.payout()
    payouts_given.attempt(world, Unknown("deadline"))
    late = NOW + payouts_given.PACE.alarm_after
    payouts_given.attempt(world, Unknown("deadline"), now=late)
    payout_operations.hold_sending(reason="restored", actor=given.reviewer(), now=late)

    said = {finding.what: finding.verdict for finding in database.payouts(late)}

    assert any("on hold" in what and verdict is FAIL for what, verdict in said.items())
    assert said["1 without a result for too long"] is WARN


@pytest.mark.django_db
def test_every_finding_is_printed_with_its_remedy(capsys):
    code = doctor.run(Namespace(json=False))

    said = capsys.readouterr().out
    assert code == 1  # hasty settings, no channel
    assert "fail  durability" in said
    assert "→ Switch on in postgresql.conf" in said
    assert "ok    schema" in said


def run_doctor(var, **environment) -> tuple[int, dict[str, dict[str, str]], str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    run = subprocess.run(
        [console_script(), "doctor", "--json"],
        env={**inherited, "KUAITUI_VAR": str(var), **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    result = json.loads(run.stdout)
    return run.returncode, {one["check"]: one for one in result["findings"]}, run.stdout


def test_a_database_that_is_down_is_said_with_what_to_do(tmp_path):
    code, found, _ = run_doctor(tmp_path)

    assert code == 1
    assert found["database"]["verdict"] == "fail"
    assert "kuaitui database start" in found["database"]["remedy"]
    assert found["python"]["verdict"] == "ok"
    assert not (tmp_path / "postgres").exists()  # it looks, and starts nothing


def test_a_password_in_the_address_is_not_shown(tmp_path):
    url = "postgresql://kuaitui:planted-password@127.0.0.1:1/kuaitui"

    code, found, said = run_doctor(tmp_path, DATABASE_URL=url)

    assert code == 1
    assert "DATABASE_URL" in found["database"]["remedy"]
    assert "planted-password" not in said


def test_settings_that_cannot_be_read_are_said(tmp_path):
    code, found, said = run_doctor(tmp_path, DATABASE_URL="no address with planted-password")

    assert code == 1
    assert found["settings"]["verdict"] == "fail"
    assert "planted-password" not in said
