"""A server for histories: the one of this test run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from kuaitui.simulation.databases import Databases


@pytest.fixture(scope="module")
def databases(django_db_blocker) -> Iterator[Databases]:
    """Fresh databases for histories, beside the one of the other tests."""
    made = Databases(os.environ["DATABASE_URL"])
    logging.disable(logging.CRITICAL)
    with django_db_blocker.unblock():
        yield made
        made.close()
    logging.disable(logging.NOTSET)


@pytest.fixture
def server_url() -> str:
    """The server's address, for processes of their own."""
    return os.environ["DATABASE_URL"]
