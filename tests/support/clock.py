"""A clock that stands where the story says, for pages that read it themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from kuaitui.kernel import clock


@contextmanager
def standing_at(now: dt.datetime) -> Iterator[None]:
    """Everything that reads the clock inside sees this moment."""
    still = mock.Mock(wraps=dt)
    still.datetime.now = lambda _zone: now
    with mock.patch.object(clock, "dt", still):
        yield
