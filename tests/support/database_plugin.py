"""A real PostgreSQL for the whole test run, started before Django reads its settings.

Set `KUAITUI_TEST_DATABASE_URL` to test against a server of your own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from kuaitui.kit.embedded_postgres import EmbeddedPostgres

# Tests lose their data anyway: what makes commits durable is tested where it matters.
HASTY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _start_for_this_run() -> None:
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # The server is the run's; files are each worker's own.
        os.environ["KUAITUI_VAR"] = str(Path(os.environ["KUAITUI_VAR"]) / worker)
        return
    os.environ["KUAITUI_PLAIN_HTTP"] = "1"
    directory = Path(tempfile.mkdtemp(prefix="kuaitui-test-"))
    directory.chmod(0o755)
    os.environ.setdefault("KUAITUI_VAR", str(directory / "var"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    if url := os.environ.get("KUAITUI_TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = url
        return
    server = EmbeddedPostgres(directory / "postgres", settings=HASTY_SETTINGS)
    server.start()
    server.ensure_database()
    atexit.register(server.stop, immediate=True)
    os.environ["DATABASE_URL"] = server.url()


_start_for_this_run()
