"""Django's own commands, for migrations and checks: `python -m kuaitui.config.manage`."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run one of Django's management commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kuaitui.config.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
