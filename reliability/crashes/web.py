"""The pages, with traps: `kuaitui.config.wsgi` as it is, struck where a trap is armed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kuaitui.config.wsgi import application as pages
from kuaitui.kit import crashpoints
from reliability.crashes.plans import ANSWERED, Trap

TRAPS_VARIABLE = "KUAITUI_TRAPS"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request; between the last commit and the first byte there is one more trap."""
    answer = pages(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        trap.step_on(ANSWERED)
    return answer


trap = Trap(Path(os.environ[TRAPS_VARIABLE]))
crashpoints.watch(trap.step_on)
