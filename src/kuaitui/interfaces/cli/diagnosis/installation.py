"""Checks that need no database: this machine, its files and its settings."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kuaitui.channels.registry import build_channels
from kuaitui.interfaces.cli.diagnosis.finding import Finding, Verdict, fail, ok, warn
from kuaitui.interfaces.cli.diagnosis.network import is_reachable
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.policy.calendar import covered_years
from kuaitui.policy.packs import load_pack

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 256 * 2**20
FREE_BYTES_GOOD = 2 * 2**30
SECRET_KEY_LENGTH_MIN = 50
OTHERS_MAY = 0o077
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """The interpreter."""
    written = ".".join(map(str, version))
    if version < PYTHON_MIN:
        return fail(
            "python", f"Python {written}", "Install Python 3.11 or later, then `make setup`."
        )
    return ok("python", f"Python {written}")


def disk(directory: Path) -> Finding:
    """Room for the data."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    what = f"{free / 2**30:,.1f} GiB free for {directory}"
    if free < FREE_BYTES_MIN:
        return fail("disk", what, "Free some space: the database stops when the disk is full.")
    if free < FREE_BYTES_GOOD:
        return warn("disk", what, "Free some space soon, or give the data a larger disk.")
    return ok("disk", what)


def files(directory: Path, secrets: Iterable[Path]) -> list[Finding]:
    """Whether the data can be written and secrets are for their owner only."""
    findings = []
    if directory.exists() and not os.access(directory, os.W_OK | os.X_OK):
        findings.append(
            fail(
                "files", f"{directory} cannot be written", "Give it to the account kuaitui runs as."
            )
        )
    open_to_others = [
        path for path in secrets if path.exists() and path.stat().st_mode & OTHERS_MAY
    ]
    findings += [
        fail("files", f"{path} can be read by other accounts", f"chmod 600 {path}")
        for path in open_to_others
    ]
    return findings or [ok("files", f"{directory} is ours, its secrets are closed to others")]


def debug(*, is_on: bool) -> Finding:
    """Error pages that show settings and variables."""
    if is_on:
        return fail(
            "debug", "DEBUG is on", "Set DEBUG = False: error pages show what they must not."
        )
    return ok("debug", "off")


def secret_key(key: str) -> Finding:
    """What signs sessions and links."""
    if len(key) < SECRET_KEY_LENGTH_MIN or len(set(key)) < 5:
        return fail(
            "secret key",
            f"{len(key)} characters",
            "Set KUAITUI_SECRET_KEY to 64 random characters, or remove it and one is made.",
        )
    return ok("secret key", "long enough")


def address(*, is_plain: bool, hosts: list[str], is_behind_proxy: bool) -> list[Finding]:
    """How the pages are reached."""
    return [
        _hosts(hosts, is_plain=is_plain),
        _tls(is_plain=is_plain, is_behind_proxy=is_behind_proxy),
    ]


def _hosts(hosts: list[str], *, is_plain: bool) -> Finding:
    if "*" in hosts:
        remedy = "Set KUAITUI_HOSTS to the names of the pages."
        return fail("hosts", "any host name is taken", remedy)
    if not is_plain and not set(hosts) - LOCAL_HOSTS:
        remedy = "Set KUAITUI_HOSTS to the name of the pages."
        return warn("hosts", "only this machine can ask for pages", remedy)
    return ok("hosts", ", ".join(hosts))


def _tls(*, is_plain: bool, is_behind_proxy: bool) -> Finding:
    if is_plain:
        remedy = "For more than a trial on this machine, unset KUAITUI_PLAIN_HTTP, use a TLS proxy."
        return warn("tls", "pages are sent over plain HTTP", remedy)
    if not is_behind_proxy:
        remedy = (
            "Set KUAITUI_BEHIND_PROXY=1 once it sets X-Forwarded-Proto: all pages redirect now."
        )
        return warn("tls", "nothing says that a TLS proxy is in front", remedy)
    return ok("tls", "at the proxy")


def calendar(today: dt.date, covered: Iterable[int] | None = None) -> Finding:
    """Whether working days can be counted."""
    years = set(covered_years() if covered is None else covered)
    remedy = "Add the State Council's notice to policy/data/calendars/cn.toml, or update kuaitui."
    if today.year not in years:
        return fail("calendar", f"no free days known for {today.year}", remedy)
    if today.year + 1 not in years:
        return warn("calendar", f"no free days known for {today.year + 1} yet", remedy)
    return ok("calendar", f"free days known until {max(years)}")


def policy(pack: str) -> Finding:
    """Whether the rules in force can be read."""
    try:
        terms = load_pack(pack)
    except Refusal as refusal:
        return fail("policy", str(refusal), "Mend the file, or set KUAITUI_POLICY_PACK to another.")
    return ok("policy", f"{terms.pack} {terms.version}")


def adapters(settings: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Which channels' entries cannot be read. The simulated one makes its own key, so not here."""
    return [
        finding
        for name, entry in settings.items()
        if entry.get("adapter", name) != "simulator"
        if (finding := _adapter(name, entry)).verdict is not Verdict.OK
    ]


def _adapter(name: str, entry: Mapping[str, Any]) -> Finding:
    remedy = "Mend its entry in the channel settings, or the key file it names: see docs/how-to."
    try:
        build_channels({name: entry}, clock=read_clock)
    except Refusal as refusal:
        return fail(f"channel {name}", str(refusal), remedy)
    except (KeyError, TypeError, ValueError, OSError) as problem:
        # Never what the problem says of itself: it may quote a key.
        return fail(
            f"channel {name}", f"its entry cannot be read: {type(problem).__name__}", remedy
        )
    return ok(f"channel {name}", "its entry can be read")


def channels(settings: Mapping[str, Mapping[str, object]]) -> list[Finding]:
    """Whether every channel's server takes a connection. Nothing is sent to it."""
    return [
        _channel(name, str(entry["base_url"]))
        for name, entry in settings.items()
        if "base_url" in entry
    ]


def _channel(name: str, url: str) -> Finding:
    if is_reachable(url):
        return ok(f"channel {name}", f"{url} takes connections")
    remedy = (
        "Payouts wait, none is lost. Start it (`kuaitui simulate-channel`) or mend the address."
    )
    return fail(f"channel {name}", f"{url} does not answer", remedy)
