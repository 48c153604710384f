"""Requests as views see them after the gate."""

from __future__ import annotations

from django.http import HttpRequest

from kuaitui.accounts.types import Viewer


class StaffRequest(HttpRequest):
    """A member of staff is logged in."""

    viewer: Viewer
