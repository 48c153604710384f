"""Differences, late and damaged bills are seen wherever somebody or something looks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import kuaitui
from kuaitui.accounts.types import Role
from kuaitui.channels.port import StatementNotReady
from kuaitui.channels.registry import Channels
from kuaitui.interfaces.cli import reconcile
from kuaitui.interfaces.cli.diagnosis.bills import bills as diagnose
from kuaitui.interfaces.cli.main import main
from kuaitui.payouts import queries as payouts
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.errors import FileDamaged
from kuaitui.reconciliation.operations import Plan
from tests.integration.test_reconcile_bills import answering
from tests.integration.test_reconciliation_read_again import damage
from tests.support import given, payouts_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import CHANNEL, NOW
from tests.support.reconciliation_given import (
    DAY,
    FUNDS,
    TABLES,
    TODAY,
    TRADES,
    ZONE,
    Paper,
    at,
    bill,
    bring,
    compare,
    line,
)

pytestmark = pytest.mark.django_db
PAGE = Path(kuaitui.__file__).parents[2] / "docs/how-to/watch-kuaitui.md"
NOTHING = dict.fromkeys(["open", "dangerous", "late", "refused", "waiting", "damaged"], 0)


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


@pytest.fixture
def report(monkeypatch, capsys):
    """The command as it is typed; its exit code and what it printed."""
    monkeypatch.setattr(reconcile, "start_database", lambda: "")

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end, given.nothing_moves(*TABLES):
            main(["reconcile", "--report", *arguments])
        return int(end.value.code or 0), capsys.readouterr().out

    return run


def watched(client) -> dict[str, int]:
    return client.get("/healthz").json()["bills"]


def told_by_doctor() -> dict[str, str]:
    return {found.what: found.verdict.value for found in diagnose(NOW)}


def both_bills(*lines: object) -> None:
    for kind in (FUNDS, TRADES):
        assert bring(bill(*lines, kind=kind), kind=kind).is_taken
        compare(kind=kind)


def test_a_proven_day_is_no_news_to_anybody(client, report) -> None:
    shop = given.shop((), paid_days_ago=0)
    given.pay_in(shop.account_id, "¥300", reference="P1", paid_at=at(12))
    assert report()[0] == 3, "no bill is here yet"

    both_bills(line("pay_in", "P1", "¥300"))

    code, said = report()
    assert (code, said) == (
        0,
        f"{DAY} simulator: proven, 2 lines, ¥300.00 in, ¥0.00 out, 0 differences\n",
    )
    assert watched(client) == NOTHING
    assert set(told_by_doctor().values()) == {"ok"}
    assert "Show them" not in desk(Role.AUDITOR, language="en").get("/console/").text


def test_money_that_could_be_going_wrong_is_an_alarm_everywhere(client, report) -> None:
    world = payouts_given.payout("¥4,000", deposit_="¥10,000")
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    number = payouts.leg(world.leg_id).channel_number
    both_bills(line("refund", number, "¥4,000.50"))

    assert watched(client) == NOTHING | {"open": 2, "dangerous": 2}
    code, said = report()
    assert code == 1
    assert "open differences" in said
    assert "differences by which money could be going wrong: 2" in said
    doctor = told_by_doctor()
    assert doctor["differences by which money could be going wrong: 2"] == "fail"
    assert doctor["open differences: 2"] == "warn"
    assert "2 differences are open" in desk(Role.AUDITOR, language="en").get("/console/").text


def test_an_old_difference_is_an_alarm_on_a_day_that_is_proven(report) -> None:
    both_bills(line("pay_in", "P1", "¥300"), line("fee", "P1", "¥1"))
    bring(bill(line("payout", "K9nobody", "¥5"), day=DAY - 3 * given.DAY), day=DAY - 3 * given.DAY)
    compare(day=DAY - 3 * given.DAY)

    code, said = report()

    assert ": proven" in said
    assert code == 1


def test_a_late_bill_is_an_alarm_everywhere(client, report) -> None:
    channels = Channels({CHANNEL: answering(StatementNotReady())})
    plan = Plan(ZONE)
    for hour in (11, 15):
        moment = at(hour, day=TODAY)
        operations.fetch_due(channels=channels, plan=plan, clock=lambda moment=moment: moment)

    late = watched(client)["late"]
    assert late == 2, "funds and trades"
    assert report()[0] == 1
    assert told_by_doctor()["bills that should be here and are not: 2"] == "warn"
    assert "2 bills should be here" in desk(Role.AUDITOR, language="en").get("/console/").text


def test_a_refused_bill_and_a_second_one_wait_for_people(client, report) -> None:
    bring(b"not a bill", kind=TRADES)
    bring(bill(line("fee", "F1", "¥6")))
    bring(bill(line("fee", "F1", "¥7")))

    assert watched(client) == NOTHING | {"refused": 1, "waiting": 1}
    code, said = report("--json")
    assert code == 1
    assert json.loads(said)["waits"] == NOTHING | {"refused": 1, "waiting": 1}
    assert {
        "days whose bill was refused: 1",
        "other files of a day, for a person to decide: 1",
    } <= told_by_doctor().keys()
    page = desk(Role.AUDITOR, language="en").get("/console/").text
    assert "1 bill that came cannot be compared" in page
    assert "1 file differs from the bill of its day" in page


def test_a_damaged_bill_is_an_alarm_until_its_bytes_are_back(client, report, raw_sql) -> None:
    both_bills(line("fee", "F1", "¥6"))
    file_id = next(one.file_id for one in queries.files_kept(channel=CHANNEL) if one.bill is FUNDS)
    damage(raw_sql)
    for _ in range(2):
        with pytest.raises(FileDamaged):
            operations.read_again(file_id=file_id, reader=Paper(), now=NOW)

    assert watched(client) == NOTHING | {"damaged": 1}
    assert report()[0] == 1
    assert told_by_doctor()["kept bills whose bytes are not those that came: 1"] == "fail"
    assert "1 kept bill no longer" in desk(Role.AUDITOR, language="en").get("/console/").text

    raw_sql("SET session_replication_role = replica")
    raw_sql(
        "UPDATE reconciliation_file SET content = substr(content, 1, octet_length(content) - 1)"
        " WHERE bill = 'funds'"
    )
    raw_sql("SET session_replication_role = origin")
    assert watched(client) == NOTHING
    assert report()[0] == 0


def test_the_page_names_every_figure_and_exit_code(client) -> None:
    text = PAGE.read_text()

    figures = {
        f"{part}.{name}"
        for part, values in client.get("/healthz").json().items()
        if isinstance(values, dict)
        for name in values
    }
    assert set(re.findall(r"^\| `(\w+\.\w+)`", text, re.MULTILINE)) == figures
    assert "kuaitui reconcile --report" in text
    assert set(re.findall(r"^\| (\d) \|", text, re.MULTILINE)) == {"0", "1", "3"}
