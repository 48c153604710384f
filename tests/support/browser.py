"""Debian's Chromium for the end-to-end tests: found, or installed where that can be done.

`python -m tests.support.browser` installs it with the system's package manager when run as root on
Debian or Ubuntu. Elsewhere it says what is left out; the tests then skip and say so too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("chromium", "fonts-noto-cjk")
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
"""Started by root, in a container, on a machine without a graphics card."""
INSTALL_TIMEOUT_S = 600


def find_chromium() -> str | None:
    """The path of a Chromium; `KUAITUI_CHROMIUM` names one of your own."""
    named = os.environ.get("KUAITUI_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def what_is_left_out() -> str | None:
    """Why the end-to-end tests cannot run here, in a sentence; nothing if they can."""
    if find_chromium():
        return None
    return (
        "no Chromium was found; install it (on Debian: apt-get install chromium fonts-noto-cjk)"
        " or name one in KUAITUI_CHROMIUM"
    )


def install() -> str | None:
    """Install what is missing if this machine and this user can; gives back why it could not."""
    if os.environ.get("KUAITUI_CHROMIUM") or find_chromium():
        return what_is_left_out()
    if shutil.which("apt-get") is None:
        return f"{what_is_left_out()}. This system has no apt-get to install it with"
    if os.geteuid() != 0:
        return f"{what_is_left_out()}. Only root can install it"
    sys.stdout.write(f"Installing {' and '.join(PACKAGES)} for the end-to-end tests\n")
    sys.stdout.flush()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-qq", *command],
            env=environment, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False,
        )  # fmt: skip
        if done.returncode:
            return f"apt-get {command[0]} failed: {done.stderr.strip().splitlines()[-1:]}"
    return what_is_left_out()


def main() -> int:
    """Install, and say plainly what the tests will leave out."""
    problem = install()
    if problem:
        sys.stdout.write(f"LEFT OUT: the tests in a real browser (tests/e2e): {problem}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
