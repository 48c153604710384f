"""The seven steps, over real processes: pages, worker, channel, database."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kuaitui.demo.processes import console_script

OLIST = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "olist-sample"
OLIST_FILES = [OLIST / f"olist_{name}_dataset.csv" for name in ("orders", "order_items", "sellers")]


def walk(*arguments: str) -> dict[str, Any]:
    finished = subprocess.run(
        [console_script(), "journey", "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    report: dict[str, Any] = json.loads(finished.stdout)
    return report


def assert_it_ended_well(report: dict[str, Any]) -> None:
    (books,) = report["books"]
    paid = sum(one["amount_minor"] for one in report["paid"])

    assert {step["number"] for step in report["steps"]} == {1, 2, 3, 4, 5, 6, 7}
    assert report["channel"]["theirs_minor"] == paid
    assert report["channel"]["breaks"] == []
    assert report["verify"]["is_true"]
    assert (books["frozen"], books["in_transit"]) == (0, 0)
    assert report["refused"]["open_orders"]
    assert report["refused"]["page_names_the_order"]
    assert report["refused"]["nothing_moved"]


@pytest.mark.slow
def test_the_seven_steps_pay_two_sellers_and_refuse_a_third() -> None:
    report = walk()

    assert_it_ended_well(report)
    names = [step["name"] for step in report["steps"]]
    assert any("second approval" in name for name in names), "the large one needs two people"
    small = names[: names.index("到账 the money arrives")]
    assert not any("second approval" in name for name in small), "the small one goes by rule"


@pytest.mark.slow
@pytest.mark.skipif(not OLIST.exists(), reason=f"the Olist sample is not at {OLIST}")
def test_the_seven_steps_on_real_orders() -> None:
    report = walk("--mapping", "olist", "--orders", *map(str, OLIST_FILES))

    assert_it_ended_well(report)
    assert report["books"][0]["currency"] == "BRL"
