"""A channel's notification is a hint: it brings a question forward and does nothing else."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from kuaitui.channels.port import Accepted
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, shared_key, sign
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import queries
from kuaitui.payouts.states import LegState
from tests.support import given
from tests.support import payouts_given as pg

pytestmark = pytest.mark.django_db
ADDRESS = f"/callbacks/{given.CHANNEL}"
TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt")


@pytest.fixture
def key() -> bytes:
    return shared_key(settings.KUAITUI_CHANNELS[given.CHANNEL]["key_file"])


def accepted() -> pg.World:
    now = read_clock()
    world = pg.payout(now=now)
    pg.attempt(world, Accepted("SIM1"), now=now)
    return world


def notify(body: bytes, key: bytes, *, address: str = ADDRESS, nonce: str = "n1") -> int:
    headers = {NONCE_HEADER: nonce, SIGNATURE_HEADER: sign(key, nonce.encode(), body)}
    client = Client(enforce_csrf_checks=True, headers=headers)
    return client.post(address, data=body, content_type="application/json").status_code


def about(world: pg.World, **claims: str) -> bytes:
    number = queries.leg(world.leg_id).channel_number
    return json.dumps({"number": number, **claims}).encode()


def test_a_notification_brings_the_question_forward(key: bytes) -> None:
    world = accepted()
    assert queries.due_legs(now=read_clock()) == []

    assert notify(about(world), key) == 204

    assert queries.due_legs(now=read_clock()) == [world.leg_id]


def test_what_a_notification_claims_is_not_believed(key: bytes) -> None:
    world = accepted()

    notify(about(world, state="PAID"), key)
    notify(about(world, state="FAILED"), key)

    assert world.state is LegState.ACCEPTED


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'{"number": 7}', b"\xff\xfe", b'{"number": "nobody\\u0027s"}'],
)
def test_a_genuine_notification_about_nothing_of_ours_moves_nothing(
    key: bytes, body: bytes
) -> None:
    accepted()

    with given.nothing_moves(*TABLES):
        assert notify(body, key) in {204, 401}


def test_a_forged_notification_is_refused(key: bytes) -> None:
    world = accepted()

    with given.nothing_moves(*TABLES):
        assert notify(about(world), b"not the key") == 401
        assert Client().post(ADDRESS, data=b"{}", content_type="text/plain").status_code == 401


def test_a_channel_nobody_knows_is_not_found(key: bytes) -> None:
    with given.nothing_moves(*TABLES):
        assert notify(b"{}", key, address="/callbacks/barter") == 404


def test_a_huge_body_is_not_read(key: bytes) -> None:
    with given.nothing_moves(*TABLES):
        assert notify(b"x" * 70_000, key) == 413


def test_only_a_post_is_a_notification() -> None:
    assert Client().get(ADDRESS).status_code == 405
