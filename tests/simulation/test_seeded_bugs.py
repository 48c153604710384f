"""The harness can see: every seeded bug is found, by the auditor, an invariant or the database."""

from __future__ import annotations

import re

import pytest

from kuaitui.simulation.databases import Databases
from kuaitui.simulation.running import play
from tests.simulation.bugs import BUGS, Bug

HISTORIES_MAX = 40
"""A change of the program shuffles its histories: then a rare bug is met later, and still met."""

A_SLIP = re.compile(r"the machine stopped: (Name|Attribute|Type|UnboundLocal|Syntax|Import)Error")
"""The seeded line itself does not run: then nothing that could go wrong has been found."""


def found_in(bug: Bug, databases: Databases) -> list[str]:
    """The findings of the first history that has any."""
    for seed in range(bug.seed, bug.seed + HISTORIES_MAX):
        with bug.switched_on():
            figures = play(bug.world.recipe(seed), databases)
        if figures.findings:
            return [str(finding) for finding in figures.findings]
    return []


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_seeded_bug_is_found(bug: Bug, databases: Databases, record_property) -> None:
    findings = found_in(bug, databases)

    assert findings, f"{bug.name}: nothing found in {HISTORIES_MAX} histories"
    assert not A_SLIP.search(findings[0]), (
        f"{bug.name} is no longer a bug but a slip: {findings[0]}"
    )
    record_property("found", findings[0])


def test_at_least_twenty_bugs_are_seeded() -> None:
    assert len({bug.name for bug in BUGS}) >= 20
