"""Django's own deployment checks, with the settings of production."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys


def test_deployment_checks_find_nothing():
    environment = {
        name: value for name, value in os.environ.items() if name != "KUAITUI_PLAIN_HTTP"
    } | {"KUAITUI_SECRET_KEY": secrets.token_urlsafe(64), "KUAITUI_HOSTS": "deposits.example"}

    command = ["check", "--deploy", "--fail-level", "WARNING"]
    run = subprocess.run(
        [sys.executable, "-m", "kuaitui.config.manage", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
