"""The one place where staff see what the machine set aside, why, and let it go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.deposits.operations import set_pay_in_aside
from kuaitui.deposits.queries import pay_ins_set_aside
from kuaitui.interfaces.console.aside_words import BROKEN, UNKNOWN, why_aside
from kuaitui.interfaces.worker.crew import BROKEN as SETS_ASIDE
from kuaitui.payouts.operations import set_leg_aside
from kuaitui.payouts.types import WaitsFor
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import NOW, nothing_moves

PAGE = "/console/payouts/set-aside"
TABLES = (*pig.TABLES, "payouts_leg", "audit_event")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(NOW + given.DAY):
        yield


def order() -> pig.World:
    """A payment order that the worker set aside."""
    made = pig.waiting()
    set_pay_in_aside(order_id=made.order_id, reason="ChannelUnknown", now=made.now)
    return made


def test_money_out_and_money_in_stand_in_one_list_with_since_when_why_and_what_to_check() -> None:
    world, made = pg.payout(), order()
    set_leg_aside(leg_id=world.leg_id, reason="SealBroken", now=NOW)

    page = desk(Role.AUDITOR).get(PAGE).text

    assert world.leg_id in page
    assert made.order_id in page
    for reason in ("SealBroken", "ChannelUnknown"):
        assert all(str(words) in page for words in why_aside(reason))
    assert "24 hours" in page
    assert "Let it go on" not in page, "an auditor changes nothing"


def test_who_may_not_let_it_go_on_reads_who_may_and_finds_no_empty_column() -> None:
    world = pg.payout()
    set_leg_aside(leg_id=world.leg_id, reason="SealBroken", now=NOW)
    leg = f"/console/payouts/{world.leg_id}"

    of_reviewer, of_approver = (
        desk(role).get(PAGE).text for role in (Role.REVIEWER, Role.APPROVER)
    )

    assert "An approver lets them go on." in of_reviewer
    assert "An approver lets it go on." in desk(Role.REVIEWER).get(leg).text
    assert ">Act</th>" not in of_reviewer
    assert ">Act</th>" in of_approver
    assert "An approver lets" not in of_approver + desk(Role.APPROVER).get(leg).text


def test_the_work_list_calls_people_with_a_clock() -> None:
    order()

    page = desk(Role.APPROVER).get("/console/").text

    assert "It has waited for 24 hours" in page
    assert PAGE in page


def test_an_approver_lets_an_order_go_on_with_a_finding() -> None:
    made = order()
    client = desk(Role.APPROVER)
    address = f"{PAGE}/{made.order_id}"
    assert address in client.get(PAGE).text
    with nothing_moves(*TABLES):
        assert "The settings name no such channel" in client.get(address).text
        assert client.post(address, {"reason": " "}).status_code == 422

    client.post(address, {"reason": "The channel is back."})

    assert pay_ins_set_aside() == ()
    assert "Nothing is set aside" in client.get(PAGE).text
    assert "It goes on already" in client.get(address).text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_nobody_else_lets_anything_go_on(role: Role) -> None:
    made, client = order(), desk(role)

    with nothing_moves(*TABLES):
        assert client.post(f"{PAGE}/{made.order_id}", {"reason": "x"}).status_code == 403


def test_an_order_nobody_has_is_not_found() -> None:
    assert desk(Role.APPROVER).get(f"{PAGE}/pin_nobody").status_code == 404


def test_every_reason_has_words_of_its_own() -> None:
    plain = {one.__name__ for one in SETS_ASIDE} - {"Refusal"}  # refusals come by their own names

    assert plain <= BROKEN.keys()
    assert all(why_aside(one.value) != UNKNOWN for one in WaitsFor)
    assert why_aside("SomethingNew") == UNKNOWN
