"""The demo's marketplace is made by the operations everybody uses, so its books are true."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.demo.scenes import SCENES
from kuaitui.demo.world import cast, play_scene
from kuaitui.deposits.queries import deposit
from kuaitui.ledger import queries as ledger

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_scene_can_be_played_and_the_books_are_true() -> None:
    firsts = [casting for casting in cast() if casting.is_first_of_scene]

    shops = [play_scene(casting, now=NOW, seed=1) for casting in firsts]

    held = {shop.scene.name: deposit(shop.account_id) for shop in shops}

    assert len(shops) == len(SCENES)
    assert ledger.differences() == []
    assert held["no_deposit_yet"].paid_in.is_zero
    assert held["deducted"].deducted.minor == 64_000
    assert held["deducted_beyond_the_deposit"].owed.is_positive


def test_the_demo_has_a_few_hundred_shops() -> None:
    castings = cast()

    assert 300 <= len(castings) <= 500
    assert len({casting.shop_id for casting in castings}) == len(castings)
