"""The whole way of a deposit over WeChat Pay and a bank, in a browser, with real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STATIONS = ("03-qr-code", "07-check", "09-batch", "11-returned", "15-paid-again", "20-proven")


def test_a_deposit_is_paid_split_returned_repaired_and_proven(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.e2e.money_walk", str(tmp_path)]

    walked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert walked.returncode == 0, walked.stderr[-3000:]
    told = json.loads(walked.stdout.splitlines()[-1])
    assert told["is_true"]
    assert {f"{name}.png" for name in STATIONS} <= set(told["pictures"])
