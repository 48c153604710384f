"""All that forked processes need. Imported once, by the process that forks them."""

from __future__ import annotations

import os

import django

# Unlike the process that directs them, they say what went wrong in them.
os.environ["KUAITUI_LOG_LEVEL"] = "ERROR"
django.setup()

import kuaitui.config.urls  # noqa: E402 - Django must be set up before all of these
import kuaitui.config.wsgi  # noqa: E402
import kuaitui.interfaces.worker.process  # noqa: E402, F401
