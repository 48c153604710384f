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


def test_probes_are_answered_under_the_machines_own_names_and_no_others():
    environment = {
        name: value for name, value in os.environ.items() if name != "KUAITUI_PLAIN_HTTP"
    } | {"KUAITUI_HOSTS": "deposits.example"}
    asked = (
        "import django; django.setup(); from django.test import Client; c = Client();"
        "print([c.get('/livez', headers={'host': host}).status_code for host in"
        " ('127.0.0.1:8000', 'localhost', 'deposits.example', 'elsewhere.example')])"
    )

    run = subprocess.run(
        [sys.executable, "-c", asked], env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip

    assert run.stdout.strip().endswith("[200, 200, 200, 400]"), run.stderr
