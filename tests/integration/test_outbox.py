"""News is written with the change and delivered at least once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import transaction

from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kit import outbox

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class KettleBoiled:
    kettle: str
    litres: int
    boiled_at: dt.datetime
    cooled_at: dt.datetime | None = None


BOILED = KettleBoiled("k1", 2, NOW)


@pytest.fixture
def heard() -> Iterator[list[KettleBoiled]]:
    events: list[KettleBoiled] = []

    @outbox.subscribe(KettleBoiled)
    def hear(event: KettleBoiled, now: dt.datetime) -> None:
        events.append(event)
        if event.kettle == "broken" and now < NOW + dt.timedelta(minutes=1):
            raise RuntimeError("the tea is not ready")

    yield events
    del outbox._handlers[outbox.event_name(KettleBoiled)]


def test_an_event_arrives_once_as_it_was_published(heard: list[KettleBoiled]) -> None:
    outbox.publish(BOILED, now=NOW)

    assert outbox.deliver_due(now=NOW) == 1
    assert outbox.deliver_due(now=NOW) == 0
    assert heard == [BOILED]


def test_no_news_without_its_change(heard: list[KettleBoiled]) -> None:
    def change_nothing_after_all() -> None:
        with transaction.atomic():
            outbox.publish(BOILED, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_nothing_after_all()

    assert outbox.deliver_due(now=NOW) == 0
    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_a_bug() -> None:
    with pytest.raises(InvariantViolated):
        outbox.publish(BOILED, now=NOW)

    assert outbox.undelivered_count() == 0


def test_a_failed_delivery_is_tried_again_and_never_dropped(heard: list[KettleBoiled]) -> None:
    outbox.publish(KettleBoiled("broken", 1, NOW), now=NOW)

    assert outbox.deliver_due(now=NOW) == 0
    assert outbox.undelivered_count() == 1
    assert outbox.deliver_due(now=NOW) == 0, "not before the delay has passed"
    assert outbox.deliver_due(now=NOW + dt.timedelta(minutes=2)) == 1
    assert len(heard) == 2


def test_an_event_taken_by_a_process_that_died_comes_back(heard: list[KettleBoiled]) -> None:
    outbox.publish(BOILED, now=NOW)
    outbox._claim(now=NOW, limit=10)

    assert outbox.deliver_due(now=NOW) == 0
    assert outbox.deliver_due(now=NOW + outbox.LEASE) == 1
    assert heard == [BOILED]
