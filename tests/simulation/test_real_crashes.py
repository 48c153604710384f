"""Workers, pages and database die under load, at every named point and at any moment.

Real processes throughout; see `reliability.crashes`. Who judges is plain SQL, the channel's own book,
and what applicants were told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from reliability.crashes.run import WEB_POINTS, WORKER_POINTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS, DATABASE_CRASHES = 300, 10


def test_three_hundred_kills_and_ten_crashes_of_the_database_lose_and_double_nothing() -> None:
    command = [
        sys.executable, "-m", "reliability", "crashes", "--anew", "--json",
        "--kills", str(KILLS), "--database-crashes", str(DATABASE_CRASHES), "--seed", "20261125",
    ]  # fmt: skip
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode in {0, 1}, finished.stderr[-3000:]
    figures = json.loads(finished.stdout.splitlines()[-1])
    assert figures["findings"] == []
    assert figures["kills"] >= KILLS
    assert figures["crashes_database"] >= DATABASE_CRASHES
    assert figures["applications_by_pages"] > 0
    assert figures["payments"] > 0
    assert figures["receipts"] > 0
    met = set(figures["kills_at"])
    assert {*WORKER_POINTS, *WEB_POINTS} <= met, "a point was never met"
