"""Writes docs/reference/application-states.md from the one definition of the states.

`python -m tests.support.state_document` renews the file; a test fails while it is out of step.
"""

from __future__ import annotations

from pathlib import Path

from kuaitui.refunds.states import FACTS, TRANSITIONS, State, mermaid

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "application-states.md"

_INTRODUCTION = """\
# States of a refund application

Written from `src/kuaitui/refunds/states.py` by `python -m tests.support.state_document`; do not edit.
Operations, the database's table of legal transitions and this page come from that one definition.
What the words mean and why it is so: [Deposits and refunds](../explanation/deposits-and-refunds.md).
"""


def document() -> str:
    """The page as it must read."""
    return "\n".join([_INTRODUCTION, "```mermaid", mermaid(), "```", "", *_table(), ""])


def _table() -> list[str]:
    head = [
        "## Where is the money, who acts, by when, what can be done",
        "",
        "| State | Money | Next | By when | The seller can | Staff can | Leads to |",
        "|---|---|---|---|---|---|---|",
    ]
    return head + [_line(state) for state in State]


def _line(state: State) -> str:
    facts = FACTS[state]
    cells = (
        f"`{state}`",
        _words([facts.money]),
        _words([facts.next_actor]),
        _words([facts.deadline]),
        _words(sorted(facts.seller_acts)),
        _words(sorted(facts.staff_acts)),
        ", ".join(f"`{target}`" for target in State if target in TRANSITIONS[state]) or "–",
    )
    return f"| {' | '.join(cells)} |"


def _words(values: list[str]) -> str:
    return ", ".join(str(value).replace("_", " ") for value in values) or "–"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")
