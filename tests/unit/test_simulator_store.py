"""What all simulated channels share: rules by chance, and a seed that decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kuaitui.channels.simulator.faults import Fault, Operation, Rule, parse_rule, troubles
from kuaitui.channels.simulator.store import Store

NUMBERS = [f"KT{n}" for n in range(40)]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Store]]:
    stores = [Store(str(tmp_path / f"{n}"), clock=lambda: 0.0, schema="") for n in range(3)]
    for store, seed in zip(stores, "112", strict=True):
        store.set_settings({"seed": seed})
    yield stores
    for store in stores:
        store.close()


def drawn(store: Store, numbers: list[str] = NUMBERS) -> dict[str, list[bool]]:
    def faults(number: str) -> list[bool]:
        return [
            Fault.DROP_ANSWER in store.draw_faults(Operation.SUBMIT, number, "") for _ in range(5)
        ]

    return {number: faults(number) for number in numbers}


def test_one_seed_is_one_history_of_each_number_whatever_others_do(stores: list[Store]) -> None:
    for store in stores:
        store.add_rule(Rule(Fault.DROP_ANSWER, chance=0.5))

    forward, backward, other = (
        drawn(store, numbers)
        for store, numbers in zip(stores, (NUMBERS, NUMBERS[::-1], NUMBERS), strict=True)
    )

    assert forward == backward
    assert forward != other
    assert {len(set(history)) for history in forward.values()} == {1, 2}


def test_a_chance_is_about_what_it_says(stores: list[Store]) -> None:
    stores[0].add_rule(Rule(Fault.DROP_ANSWER, chance=0.25))

    history = [one for number in drawn(stores[0]).values() for one in number]

    assert 0.15 < sum(history) / len(history) < 0.35


def test_troubles_meet_any_operation_and_a_chance_of_nothing_meets_none(
    stores: list[Store],
) -> None:
    for rule in troubles(1.0):
        stores[0].add_rule(rule)
    for rule in troubles(0.0):
        stores[1].add_rule(rule)

    assert Fault.DROP_ANSWER in stores[0].draw_faults(Operation.CANCEL, "KT", "")
    assert Fault.DROP_ANSWER not in stores[1].draw_faults(Operation.CANCEL, "KT", "")


def test_a_rule_with_times_is_used_up_by_those_it_meets(stores: list[Store]) -> None:
    stores[0].add_rule(Rule(Fault.DROP_ANSWER, number="KT1", times=1))

    met = [
        Fault.DROP_ANSWER in stores[0].draw_faults(Operation.SUBMIT, n, "")
        for n in ("KT2", "KT1", "KT1")
    ]

    assert met == [False, True, False]


@pytest.mark.parametrize("document", [{"fault": "no such"}, {"fault": "refuse", "x": 1}, {}])
def test_a_rule_that_is_none_is_not_understood(document: dict) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is the document's
        parse_rule(document)
