"""Crashes at any moment that makes a difference: before a commit, after it, and at the named points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from kuaitui.kit.crashpoints import watched


class SimulatedCrash(BaseException):
    """The process ended here. Not an `Exception`: no code of ours may catch it and go on."""


class Crashes:
    """Ends the logical process that is running, at the moment it was armed for.

    What a real end of the process does to the database is done: an open transaction is rolled
    back, a committed one stays.
    """

    def __init__(
        self, *, on_moment: Callable[[str], None], on_crash: Callable[[str], None]
    ) -> None:
        self._on_moment = on_moment
        self._on_crash = on_crash
        self._moments_left: int | None = None

    def arm(self, *, moments: int) -> None:
        """Crash at so many moments from now."""
        self._moments_left = moments

    def disarm(self) -> None:
        """Crash no more; whatever was armed did not come to its moment."""
        self._moments_left = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Watch the named points and every commit of the connection."""
        commit = connection.commit

        def watched_commit() -> None:
            if self._is_time():
                connection.rollback()
                self._crash("commit.before")
            commit()
            if self._is_time():
                self._crash("commit.after")

        connection.commit = watched_commit  # type: ignore[method-assign]
        try:
            with watched(self._pass_point):
                yield
        finally:
            del connection.commit

    def _pass_point(self, name: str) -> None:
        if self._is_time():
            self._crash(name)
        if not connection.in_atomic_block:
            self._on_moment(name)

    def _is_time(self) -> bool:
        if self._moments_left is None:
            return False
        self._moments_left -= 1
        return self._moments_left < 0

    def _crash(self, place: str) -> None:
        self._moments_left = None
        self._on_crash(place)
        raise SimulatedCrash(place)
