"""Every route with every sort of person: nobody comes in who is not in the table.

A route without a row fails, and so does a row without a route.
"""

from __future__ import annotations

import enum
from dataclasses import replace

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from kuaitui.accounts.models import User
from kuaitui.accounts.operations import create_user, grant_shop
from kuaitui.accounts.types import Role
from kuaitui.channels.port import PayeeKind
from kuaitui.channels.registry import adapter_added
from kuaitui.deposits.queries import suspense_cases
from kuaitui.deposits.types import PayInChoice
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import routes
from kuaitui.payouts.operations import build_batch
from kuaitui.payouts.queries import bank_messages, batches
from kuaitui.refunds.states import State
from tests.support import (
    batches_given,
    deductions_given,
    given,
    pay_ins_given,
    payouts_given,
    reconciliation_given,
    refunds_given,
)
from tests.support.clock import standing_at

pytestmark = pytest.mark.django_db


class Person(enum.Enum):
    NOBODY = "nobody"
    OWNER = "owner"
    OTHER_SELLER = "other_seller"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"


class Answer(enum.Enum):
    COMES_IN = "comes in"
    ASKED_TO_LOG_IN = "asked to log in"
    NOT_FOUND = "not found"
    FORBIDDEN = "forbidden"


IN, LOG_IN, HIDDEN, NO = Answer
ALL_IN = dict.fromkeys(Person, IN)


def row(owner=HIDDEN, other=HIDDEN, reviewer=HIDDEN, approver=HIDDEN, auditor=HIDDEN):
    """What each person gets; nobody is always asked to log in."""
    return dict(zip(Person, [LOG_IN, owner, other, reviewer, approver, auditor], strict=True))


OWN_SHOP_ONLY = row(owner=IN)
EVERY_ROLE = row(IN, IN, IN, IN, IN)
EVERY_SELLER = row(IN, IN, NO, NO, NO)
STAFF = row(NO, NO, IN, IN, IN)
REVIEWER = row(NO, NO, IN, NO, NO)
APPROVER = row(NO, NO, NO, IN, NO)
REVIEWER_AND_APPROVER = row(NO, NO, IN, IN, NO)

EXPECTED = {
    "livez": ALL_IN,
    "readyz": ALL_IN,
    "healthz": ALL_IN,
    "login": ALL_IN,
    "logout": ALL_IN,
    "link/<str:token>": ALL_IN,
    "language": ALL_IN,
    "callbacks/<str:channel>": ALL_IN,
    "": EVERY_ROLE,
    **{
        f"shops/<str:shop_id>/{page}": OWN_SHOP_ONLY
        for page in (
            "", "eligibility", "refund", "refunds/", "statement", "deductions", "messages", "mine",
            "accounts/new", "accounts/new/alipay", "accounts/new/wechat",
        )
    },
    **{
        f"shops/<str:shop_id>/refunds/<str:application_id>{page}": OWN_SHOP_ONLY
        for page in ("", "/submitted", "/withdraw", "/answer", "/appeal", "/destination")
    },
    **{
        f"shops/<str:shop_id>/deposits/<str:account_id>{page}": OWN_SHOP_ONLY
        for page in (
            "/eligibility", "/reminder", "/pay-in", "/refund", "/refund/destination", "/refund/check",
            "/statement.csv",
        )
    },
    **{
        f"shops/<str:shop_id>/pay-ins/<str:order_id>{page}": OWN_SHOP_ONLY
        for page in ("", "/look", "/call-off")
    },
    "shops/<str:shop_id>/receipts/<str:lot_id>": OWN_SHOP_ONLY,
    **{
        f"shops/<str:shop_id>/deductions/<str:case_id>{page}": OWN_SHOP_ONLY
        for page in ("", "/reply", "/appeal")
    },
    "console/": STAFF,
    "console/applications": STAFF,
    "console/applications/<str:application_id>": STAFF,
    "console/applications/<str:application_id>/approve": REVIEWER,
    "console/applications/<str:application_id>/confirm": APPROVER,
    "console/applications/<str:application_id>/send-back": APPROVER,
    "console/applications/<str:application_id>/ask": REVIEWER,
    "console/applications/<str:application_id>/reject": REVIEWER,
    "console/applications/<str:application_id>/appeal": REVIEWER_AND_APPROVER,
    "console/applications/<str:application_id>/refuse-account": REVIEWER,
    "console/applications/<str:application_id>/close-out": REVIEWER,
    "console/applications/<str:application_id>/confirm-close-out": APPROVER,
    "console/applications/<str:application_id>/check-account": REVIEWER,
    "console/audit": row(NO, NO, NO, IN, IN),
    "console/audit.csv": row(NO, NO, NO, IN, IN),
    "console/batches": STAFF,
    "console/batches/build/<str:bank_name>": REVIEWER,
    "console/batches/<str:batch_id>": STAFF,
    "console/batches/<str:batch_id>/release": APPROVER,
    "console/batches/<str:batch_id>/call-off": REVIEWER,
    "console/batches/<str:batch_id>/file": REVIEWER_AND_APPROVER,
    "console/bank-messages": STAFF,
    "console/bank-messages/bring": REVIEWER,
    "console/bank-messages/<int:message_no>": STAFF,
    "console/bank-messages/<int:message_no>/confirm": APPROVER,
    "console/bills": STAFF,
    "console/bills/import": REVIEWER_AND_APPROVER,
    "console/bills/files/<str:file_id>": REVIEWER_AND_APPROVER,
    "console/bills/<str:channel>/<str:day>": STAFF,
    "console/breaks/<str:break_id>": STAFF,
    "console/breaks/<str:break_id>/propose": REVIEWER,
    "console/breaks/<str:break_id>/confirm": APPROVER,
    "console/breaks/<str:break_id>/take-back": REVIEWER_AND_APPROVER,
    "console/deductions": STAFF,
    "console/deductions/announce": REVIEWER,
    "console/deductions/<str:case_id>": STAFF,
    "console/deductions/<str:case_id>/take": APPROVER,
    "console/deductions/<str:case_id>/drop": REVIEWER_AND_APPROVER,
    "console/deductions/<str:case_id>/answer": REVIEWER_AND_APPROVER,
    "console/suspense": STAFF,
    "console/suspense/<str:suspense_id>": STAFF,
    "console/suspense/<str:suspense_id>/propose": REVIEWER,
    "console/suspense/<str:suspense_id>/decide": APPROVER,
    "console/suspense/<str:suspense_id>/ask": REVIEWER_AND_APPROVER,
    "console/suspense/<str:suspense_id>/let-go-on": APPROVER,
    "console/payouts": STAFF,
    "console/payouts/stop": APPROVER,
    "console/payouts/resume": APPROVER,
    "console/payouts/set-aside": STAFF,
    "console/payouts/set-aside/<str:order_id>": APPROVER,
    "console/payouts/controls": STAFF,
    "console/payouts/controls/hold": APPROVER,
    "console/payouts/controls/propose-release": APPROVER,
    "console/payouts/controls/confirm-release": APPROVER,
    "console/payouts/controls/limits": APPROVER,
    "console/payouts/controls/limits/<int:limit_id>": APPROVER,
    "console/payouts/controls/balance": APPROVER,
    "console/payouts/<str:leg_id>": STAFF,
    "console/payouts/<str:leg_id>/put-back": APPROVER,
    "console/payouts/<str:leg_id>/ask": REVIEWER_AND_APPROVER,
    "console/payouts/<str:leg_id>/hand-over": REVIEWER_AND_APPROVER,
    "console/payouts/<str:leg_id>/hand-over/confirm": APPROVER,
    "console/payouts/<str:leg_id>/give-up": REVIEWER_AND_APPROVER,
    "console/payouts/<str:leg_id>/give-up/confirm": APPROVER,
    "console/payouts/<str:leg_id>/stop-trying": REVIEWER_AND_APPROVER,
    "console/payouts/<str:leg_id>/call-back": REVIEWER_AND_APPROVER,
    "console/payouts/<str:leg_id>/take-back": REVIEWER_AND_APPROVER,
}  # fmt: skip
ROUTES = {route.pattern: route for route in routes(get_resolver().url_patterns)}


@pytest.fixture(autouse=True)
def now():
    with standing_at(given.NOW):
        yield


@pytest.fixture
def shop():
    """The owner's shop, with an application whose payout has begun, and an order to pay in more."""
    made = refunds_given.application(State.PAYING)
    order = pay_ins_given.World(made.shop)
    order.start(choice=PayInChoice.REQUIRED)
    made.order_id = order.order_id
    late = pay_ins_given.expired()
    late.channel_says(late.payment())
    return made


@pytest.fixture(autouse=True)
def bank(settings):
    """A bank with an open batch and a message that waits for confirmation; and a difference."""
    batches_given.bank_in_settings(settings)
    channel = batches_given.bank(settings)
    world = batches_given.waiting()
    build_batch(channel=channel, actor=given.reviewer(), now=given.NOW)
    batches_given.bring(settings, batches_given.result(world, "ACCEPTED"), confirm=False)
    reconciliation_given.compare_with(reconciliation_given.line("payout", "strange", "¥5"))


class Identifying(payouts_given.ScriptedChannel):
    """A channel that would say who its users are."""

    def identification_page(self, *, state, return_to):
        return f"https://app.invalid/?{state}"


@pytest.fixture(autouse=True)
def wechat(settings, bank):
    """Some channel pays people whom it names itself."""
    able = replace(
        payouts_given.CAPABILITIES,
        payee_kinds=frozenset({PayeeKind.WECHAT_USER}),
        identifies_payees=True,
    )

    def build(name, document, *, clock):
        return Identifying(lambda *_: None, name, able)

    settings.KUAITUI_CHANNELS = {**settings.KUAITUI_CHANNELS, "wechat": {"adapter": "identifying"}}
    settings.KUAITUI_PAYERS = {**settings.KUAITUI_PAYERS, PayeeKind.WECHAT_USER.value: "wechat"}
    with adapter_added("identifying", build):
        yield


@pytest.fixture
def people(shop):
    """One user for each sort of person."""
    made = {Person.NOBODY: None}
    for person in list(Person)[1:]:
        role = Role(person.value) if person.value in set(Role) else Role.SELLER
        user_id = create_user(
            username=person.value,
            display_name=person.value,
            role=role,
            password=None,
            actor=Actor.system("test"),
            now=read_clock(),
        )
        if person is Person.OWNER:
            key = shop.shop.shop_key
            grant_shop(user_id=user_id, shop_key=key, actor=Actor.system("test"), now=read_clock())
        made[person] = User.objects.get(public_id=user_id)
    return made


@pytest.fixture
def addresses(shop):
    """Where each route leads in this marketplace."""
    named = {
        "<str:token>": "unknown-token",
        "<str:shop_id>": shop.shop.shop_id,
        "<str:account_id>": shop.shop.account_id,
        "<str:application_id>": shop.application_id,
        "<str:leg_id>": shop.view.payout.legs[0].leg_id,
        "<str:channel>": given.CHANNEL,
        "<str:bank_name>": batches_given.BANK,
        "<str:batch_id>": batches()[0].batch_id,
        "<int:message_no>": str(bank_messages()[0].message_no),
        "<str:order_id>": shop.order_id,
        "<str:suspense_id>": suspense_cases()[0].suspense_id,
        "<str:case_id>": deductions_given.announce(shop.shop),
        "<str:lot_id>": shop.deposit.lots[0].lot_id,
        "<int:limit_id>": "1",
        "<str:day>": reconciliation_given.DAY.isoformat(),
        "<str:break_id>": reconciliation_given.the_break().break_id,
        "<str:file_id>": reconciliation_given.the_file().file_id,
    }
    found = {}
    for pattern in EXPECTED:
        address = pattern
        for name, value in named.items():
            address = address.replace(name, value)
        assert "<" not in address, "give this part of the address a value"
        found[pattern] = f"/{address}"
    return found


def answer_of(response):
    if response.headers.get("Location", "").startswith("/login?next="):
        return LOG_IN
    if "Session" in response.headers.get("WWW-Authenticate", ""):
        return LOG_IN
    return {404: HIDDEN, 403: NO}.get(response.status_code, IN)


def test_every_route_has_a_row_and_every_row_a_route():
    assert set(EXPECTED) == set(ROUTES)


@pytest.mark.parametrize("person", Person)
def test_each_person_gets_the_answers_in_the_table(person, people, addresses):
    cookies = log_in(people[person])

    for method in ("get", "post"):
        found = {
            pattern: ask(cookies, method, pattern, address)
            for pattern, address in addresses.items()
        }
        assert found == {pattern: row_[person] for pattern, row_ in EXPECTED.items()}, method


def log_in(user):
    """The cookies of somebody who is logged in, or of nobody."""
    client = Client()
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies


def ask(cookies, method, pattern, address):
    """The answer to one request, whose effects are undone."""
    client = Client()
    client.cookies.load({name: cookie.value for name, cookie in cookies.items()})
    # A savepoint, not an atomic block: the operations behind the views insist on being outermost.
    before = transaction.savepoint()
    found = answer_of(getattr(client, method)(address))
    transaction.savepoint_rollback(before)
    # The view of a one-time link itself says that the token is unknown.
    return IN if found is HIDDEN and "token" in pattern else found
