"""Begin at an agreed moment, repeat for an agreed time, say how often."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from kuaitui.kernel.clock import read_stopwatch_s


def parser() -> argparse.ArgumentParser:
    """Arguments every measured process takes."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("mode")
    arguments.add_argument("--begin-at", type=float, default=0)
    arguments.add_argument("--seconds", type=float, default=5)
    return arguments


def repeat(step: Callable[[], int], *, begin_at: float, seconds: float) -> None:
    """Call `step` for some seconds and print how much it did in all."""
    step()
    time.sleep(max(0.0, begin_at - read_stopwatch_s()))
    begun, count = read_stopwatch_s(), 0
    while read_stopwatch_s() - begun < seconds:
        count += step()
    print(json.dumps({"count": count, "seconds": read_stopwatch_s() - begun}))
