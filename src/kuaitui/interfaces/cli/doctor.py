"""`kuaitui doctor`: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
from pathlib import Path

import django
import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from kuaitui.interfaces.cli.diagnosis import installation
from kuaitui.interfaces.cli.diagnosis.finding import Finding, Verdict, fail, warn
from kuaitui.kernel.clock import read_clock


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Look at everything, change nothing; 1 when something must be mended."""
    findings = [installation.python(), *_of_settings()]
    is_well = not any(finding.verdict is Verdict.FAIL for finding in findings)
    if arguments.json:
        lines = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"is_well": is_well, "findings": lines}, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"  {finding.verdict:<4}  {finding.check:<18} {finding.what}")
            if finding.remedy:
                print(f"        {'':<18} → {finding.remedy}")
        print("Nothing must be mended." if is_well else "Mend what says fail, then ask again.")
    return 0 if is_well else 1


def _of_settings() -> list[Finding]:
    var = Path(os.environ.get("KUAITUI_VAR", "var")).absolute()
    try:
        django.setup()
    except psycopg.ProgrammingError:  # its words may repeat the password
        what, remedy = (
            "DATABASE_URL is no address of a database",
            "postgresql://USER:PASSWORD@HOST/NAME",
        )
        return [installation.disk(var), fail("settings", what, f"Write it as {remedy}.")]
    except (ImportError, ImproperlyConfigured, OSError, ValueError) as error:
        what = f"cannot be read: {type(error).__name__}: {error}"
        remedy = "Mend the environment variable or the file that it names."
        return [installation.disk(var), fail("settings", what, remedy)]
    return [
        installation.disk(var),
        *installation.files(var, _secrets(var)),
        installation.debug(is_on=settings.DEBUG),
        installation.secret_key(settings.SECRET_KEY),
        *installation.address(
            is_plain=settings.PLAIN_HTTP,
            hosts=settings.ALLOWED_HOSTS,
            is_behind_proxy=settings.SECURE_PROXY_SSL_HEADER is not None,
        ),
        installation.calendar(read_clock().date()),
        installation.policy(settings.KUAITUI_POLICY_PACK),
        *installation.adapters(settings.KUAITUI_CHANNELS),
        *installation.channels(settings.KUAITUI_CHANNELS),
        *_of_database(),
    ]


def _secrets(var: Path) -> list[Path]:
    named = {Path(settings.KUAITUI_KEYRING_FILE)}
    return sorted(
        named | {var / "secret_key", var / "simulator_key", var / "postgres" / "password"}
    )


def _of_database() -> list[Finding]:
    # These modules read tables, which exist for Django only after its set-up.
    database = importlib.import_module("kuaitui.interfaces.cli.diagnosis.database")
    of_bills = importlib.import_module("kuaitui.interfaces.cli.diagnosis.bills")
    first: Finding = database.reachable(is_embedded=not os.environ.get("DATABASE_URL"))
    if first.verdict is not Verdict.OK:
        return [first, warn("everything in it", database.NOT_ASKED, "Ask again once it answers.")]
    schema: Finding = database.migrations()
    found = [first, *database.settings(), schema, database.clock(), database.deployment()]
    if schema.verdict is Verdict.OK:
        now = read_clock()
        found += [database.news(now), *database.payouts(now), *of_bills.bills(now)]
    return found
