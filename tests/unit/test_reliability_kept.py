"""A long run that was stopped goes on where it stood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reliability.__main__ import added
from reliability.kept import (
    NO_PART_IN_CRASHES,
    NO_PART_IN_YEARS,
    PLAYS_ALIKE,
    ROOT,
    Kept,
    mark_of,
)
from reliability.parts import take_over, write_down
from reliability.years import SUMMED


def test_a_part_that_is_done_is_not_played_again(tmp_path: Path) -> None:
    played: list[str] = []

    def play() -> dict[str, object]:
        played.append("once")
        return {"years": 50, "findings": []}

    first = Kept(tmp_path / "one").part("years-1-50", play)
    again = Kept(tmp_path / "one").part("years-1-50", play)

    assert first == again == {"years": 50, "findings": []}
    assert played == ["once"]


def test_another_commit_begins_anew(tmp_path: Path) -> None:
    kept = {"years": 50, "findings": []}
    Kept(tmp_path / "one").part("years-1-50", lambda: kept)

    assert Kept(tmp_path / "other").part("years-1-50", lambda: {"findings": []}) != kept
    assert Kept(None).part("years-1-50", lambda: {"findings": []}) != kept


def test_what_plays_no_part_may_change_and_everything_else_begins_anew() -> None:
    def mark(pages: str, simulation: str, ledger: str) -> tuple[str, str]:
        listing = (
            f"100644 blob {pages}\tsrc/kuaitui/interfaces/portal/urls.py\n"
            f"100644 blob {simulation}\tsrc/kuaitui/simulation/world.py\n"
            f"100644 blob {ledger}\tsrc/kuaitui/ledger/rules.py\n"
        )
        crashes, years = (
            mark_of(listing, no_part=no_part) for no_part in (NO_PART_IN_CRASHES, NO_PART_IN_YEARS)
        )
        return crashes, years

    crashes, years = mark("1", "1", "1")

    assert mark("1", "2", "1")[0] == crashes
    assert mark("1", "2", "1")[1] != years
    assert mark("2", "1", "1")[1] == years
    assert mark("2", "1", "1")[0] != crashes
    assert all(
        before != after for before, after in zip((crashes, years), mark("1", "1", "2"), strict=True)
    )


def test_what_has_no_part_is_named_by_paths_that_are_there() -> None:
    for path in {*NO_PART_IN_CRASHES, *NO_PART_IN_YEARS}:
        assert (ROOT / path).exists(), path


def test_a_part_with_a_finding_is_played_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.part("years-1-50", lambda: {"findings": ["lost"]})

    assert json.loads((tmp_path / "years-1-50.found").read_text()) == {"findings": ["lost"]}
    assert kept.part("years-1-50", lambda: {"findings": []}) == {"findings": []}


def test_parts_add_up() -> None:
    part = {
        "seed": 1,
        "kills": 300,
        "kills_at": {"a": 2, "b": 1},
        "is_sound": True,
        "findings": [],
    }
    other = {**part, "seed": 2, "kills_at": {"b": 4}, "is_sound": False, "findings": ["lost"]}

    assert added(added({}, part), other) == {
        "seed": 1,
        "kills": 600,
        "kills_at": {"a": 2, "b": 5},
        "is_sound": False,
        "findings": ["lost"],
    }


def test_a_run_goes_on_elsewhere_from_what_is_written_down(tmp_path: Path) -> None:
    years = {**dict.fromkeys(SUMMED, 7), "faults": {"slow": 2}, "findings": []}
    here, there = Kept(tmp_path / "here" / "mark"), Kept(tmp_path / "there" / "mark")
    here.part("years-1-50", lambda: {**years, "seconds": 3.5})
    here.part("crashes-1-300-20", lambda: {"kills": 300, "findings": []})
    here.part("years-101-50", lambda: {**years, "findings": ["lost"]})

    write_down([here], tmp_path / "parts.jsonl")

    assert take_over([there], tmp_path / "parts.jsonl") == 2
    assert take_over([there], tmp_path / "parts.jsonl") == 0
    assert there.parts() == [
        ("crashes-1-300-20", {"kills": 300, "findings": []}),
        ("years-1-50", years),
    ]


def test_parts_of_a_program_that_plays_alike_are_taken_over_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after, later = (Kept(tmp_path / name) for name in ("before", "after", "later"))
    before.part("crashes-1-300-20", lambda: {"kills": 300, "findings": []})
    after.part("crashes-2-300-20", lambda: {"kills": 301, "findings": []})
    monkeypatch.setitem(PLAYS_ALIKE, "after", "before")

    write_down([before], tmp_path / "parts.jsonl")

    assert take_over([after, later], tmp_path / "parts.jsonl") == 1
    assert after.part("crashes-1-300-20", dict) == {"kills": 300, "findings": []}
    assert later.parts() == []

    write_down([after], tmp_path / "parts.jsonl")

    told = [json.loads(line) for line in (tmp_path / "parts.jsonl").read_text().splitlines()]
    assert [(one["part"], one["program"]) for one in told] == [
        ("crashes-1-300-20", "before"),
        ("crashes-2-300-20", "after"),
    ]
    assert all(set(one["figures"]) == {"kills", "findings"} for one in told)


def test_parts_of_another_program_are_not_taken_over(tmp_path: Path) -> None:
    here, there = Kept(tmp_path / "mark"), Kept(tmp_path / "other")
    here.part("crashes-1-300-20", lambda: {"kills": 300, "findings": []})

    write_down([here], tmp_path / "parts.jsonl")

    assert take_over([there, Kept(None)], tmp_path / "parts.jsonl") == 0
    assert there.parts() == []
