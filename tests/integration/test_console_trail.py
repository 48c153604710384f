"""The audit trail on a page: who did what, about what, narrowed and paged, for those who may see it."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import hashlib
import io
import re
from pathlib import Path

import pytest
from django.db import transaction

from kuaitui.accounts.types import Role
from kuaitui.audit.operations import record
from kuaitui.audit.queries import EVENTS_MAX, TrailFilters, differences, trail
from kuaitui.deductions.types import CaseCode
from kuaitui.interfaces.console.trail_words import ACTIONS, AREAS, action_name
from kuaitui.interfaces.console.views.audit import ROWS_PER_PAGE
from kuaitui.interfaces.console.words import TIMELINE
from kuaitui.kernel.actor import Actor, ActorKind
from tests.support import given, refunds_given
from tests.support.console_given import actor, desk, staff
from tests.support.given import NOW

pytestmark = pytest.mark.django_db
SOURCE = Path(__file__).parents[2] / "src" / "kuaitui"
CONTEXTS = (
    "accounts", "deductions", "deposits", "notifications", "payouts", "reconciliation", "refunds",
)  # fmt: skip


def act(
    action: str,
    object_id: str = "leg_1",
    *,
    by: Actor | None = None,
    shop_key: int | None = None,
    now: dt.datetime = NOW,
    **details: object,
) -> None:
    with transaction.atomic():
        record(
            actor=by or Actor.system("given"),
            action=action,
            object_id=object_id,
            shop_key=shop_key,
            details=details,
            now=now,
        )


def page(query: str = "", *, language: str = "en", who: Role = Role.AUDITOR) -> str:
    return desk(who, language=language).get(f"/console/audit{query}").content.decode()


def test_an_act_stands_with_its_person_its_object_and_what_was_recorded() -> None:
    chen = staff(Role.APPROVER)
    act("payout.leg_set_aside", "leg_9", by=actor(chen), reason="strange", amount_minor=1_250,
        currency="CNY", at_all=None)  # fmt: skip

    text = page("?about=leg_9")

    assert "Part set aside" in text
    assert "陈核" in text
    assert 'href="/console/payouts/leg_9"' in text
    assert "¥12.50" in text
    assert "strange" in text
    assert "at_all" not in text
    (event,) = trail(filters=TrailFilters(object_id="leg_9"), after=None, limit=9).events
    assert event.hash[:12] in text


def test_it_reads_in_chinese() -> None:
    act("payout.sending_stopped", "wechatpay", reason="drill")

    text = page("?about=wechatpay", language="zh-hans")

    assert "停止打款" in text
    assert "审计记录" in text
    assert "系统" in text


def test_it_is_narrowed_by_shop_person_sort_and_day() -> None:
    shop = given.shop()
    chen = staff(Role.APPROVER)
    act("payout.sending_stopped", "a", by=actor(chen), now=NOW)
    act("deposit.required_set", "b", shop_key=shop.shop_key, now=NOW)
    act("suspense.found", "c", now=NOW - dt.timedelta(days=3))
    day = (NOW - dt.timedelta(days=3)).date().isoformat()

    def about(query: str) -> set[str]:
        return set(re.findall(r'"code">([abc])</span>', page(query)))

    assert about("") == {"a", "b", "c"}
    assert about(f"?who={chen.public_id}") == {"a"}
    assert about(f"?shop={shop.shop_id}") == {"b"}
    assert about("?area=suspense") == {"c"}
    assert about(f"?until_day={day}") == {"c"}
    assert about(f"?from_day={NOW.date().isoformat()}") == {"a", "b"}


def test_the_first_and_the_last_day_there_are_leave_nothing_out() -> None:
    act("payout.sending_stopped", "a")

    assert "Sending stopped" in page("?from_day=0001-01-01&until_day=9999-12-31")


def test_what_cannot_be_meant_is_said_and_shows_nothing() -> None:
    act("payout.sending_stopped", "a")

    answer = desk(Role.AUDITOR).get("/console/audit?from_day=yesterday&shop=nobodys")

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Enter the day as" in text
    assert 'value="yesterday"' in text
    assert "Sending stopped" not in text


def test_pages_follow_each_other_without_a_gap_or_a_repetition() -> None:
    for number in range(2 * ROWS_PER_PAGE + 1):
        # Many at one moment: their place in the chain decides.
        act("suspense.found", f"o{number}", now=NOW + dt.timedelta(seconds=number // 30))
    client = desk(Role.APPROVER)
    seen: list[str] = []

    address = "/console/audit?area=suspense"
    for _ in range(3):
        text = client.get(address).content.decode()
        seen += re.findall(r'"code">(o\d+)</span>', text)
        further = re.search(r'href="(\?[^"]*)" rel="next"', text)
        address = f"/console/audit{further[1].replace('&amp;', '&')}" if further else ""

    assert seen == [f"o{number}" for number in reversed(range(2 * ROWS_PER_PAGE + 1))]
    assert address == ""


@pytest.mark.parametrize("after", ["", "x", "~~", "2026-11-24~shop:1~1"])
def test_a_place_that_is_none_begins_anew(after: str) -> None:
    act("payout.sending_stopped", "a")

    assert "Sending stopped" in page(f"?after={after}")


def test_a_chain_is_checked_from_the_file_alone() -> None:
    shop = given.shop()
    for number in range(EVENTS_MAX + 3):
        act("deposit.required_set", f"o{number}", shop_key=shop.shop_key, note="=1+1")
    act("payout.sending_stopped", "another chain")

    answer = desk(Role.AUDITOR).get(f"/console/audit.csv?shop={shop.shop_id}")

    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]
    assert {row[5] for row in rows} == {f"shop:{shop.shop_key}"}
    before = b""
    for number, row in enumerate(reversed(rows), start=1):
        digest = hashlib.sha256(before + int(row[6]).to_bytes(8) + row[8].encode()).digest()
        assert (int(row[6]), digest.hex()) == (number, row[7])
        before = digest
    assert len(rows) > EVENTS_MAX


def test_no_sheet_runs_what_somebody_wrote_and_nothing_is_given_for_a_wrong_filter() -> None:
    act("payout.sending_stopped", "=cmd()")
    client = desk(Role.APPROVER)

    text = client.get("/console/audit.csv?area=payout").content.decode()

    assert ",'=cmd()," in text
    assert client.get("/console/audit.csv?from_day=x").status_code == 422


def test_whoever_may_see_it_finds_it_from_the_case() -> None:
    made = refunds_given.application()
    address = f"/console/applications/{made.application_id}"
    link = f"/console/audit?about={made.application_id}"

    assert link in desk(Role.AUDITOR).get(address).content.decode()
    assert link not in desk(Role.REVIEWER).get(address).content.decode()
    text = page(f"?about={made.application_id}")
    assert "Submitted" in text
    assert differences() == []


def acts_of_the_source() -> set[str]:
    """What is given for an act, by that name or to a context's own helper."""
    found: set[str] = set()
    for context in CONTEXTS:
        files = [*(SOURCE / context).rglob("operations/*.py"), SOURCE / context / "operations.py"]
        for file in filter(Path.exists, files):
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call):
                    found |= {one for place in _places(call) for one in _texts(place)}
    return found


def _places(call: ast.Call) -> list[ast.expr]:
    helper = call.func.id if isinstance(call.func, ast.Name) else ""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "action"]
    return named + (call.args[1:2] if helper in {"_record", "_audit"} else [])


def _texts(place: ast.expr) -> set[str]:
    return {
        one.value
        for one in ast.walk(place)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and "." in one.value
    }


def test_every_act_that_is_recorded_has_its_words() -> None:
    written = acts_of_the_source()
    # Their ends are the steps of a difference, of a deduction, and of an application's timeline.
    composed = {"reconciliation.break_", "deduction.", "refund."}

    steps = {one for one in ACTIONS if one.startswith("reconciliation.break_")}
    steps |= {f"deduction.{code}" for code in CaseCode}
    assert steps <= set(ACTIONS)
    assert written - composed == set(ACTIONS) - steps
    assert composed <= written
    assert {one.partition(".")[0] for one in written} == set(AREAS)
    assert action_name("refund.submitted") == TIMELINE["submitted"].text
    assert action_name("payout.nobody_named_it") == "payout.nobody_named_it"


def test_a_seller_sees_none_of_it() -> None:
    shop = given.shop()
    act("payout.sending_stopped", "a", by=Actor(ActorKind.SELLER, "usr_x"), shop_key=shop.shop_key)

    assert desk(Role.REVIEWER).get("/console/audit").status_code == 403
