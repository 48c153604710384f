"""`kuaitui database`: the embedded PostgreSQL, and the schema in it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import django
from django.core.management import call_command

from kuaitui.kit.embedded_postgres import EmbeddedPostgres


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=["start", "stop", "status", "migrate"])


def run(arguments: argparse.Namespace) -> int:
    """Start, stop, look or migrate."""
    server = embedded_server()
    match arguments.action:
        case "start":
            print(start_database())
        case "stop" if server is not None:
            server.stop()
            print("The embedded database is stopped.")
        case "status" if server is not None:
            running = server.is_running()
            print(
                f"The embedded database in {server.directory} is {'running' if running else 'stopped'}."
            )
            return 0 if running else 3
        case "migrate":
            prepare_database()
        case _:
            print("DATABASE_URL names a server of your own: start and stop it there.")
    return 0


def embedded_server() -> EmbeddedPostgres | None:
    """The embedded server of this installation, or nothing when `DATABASE_URL` names another."""
    if os.environ.get("DATABASE_URL"):
        return None
    return EmbeddedPostgres(embedded_directory())


def embedded_directory() -> Path:
    """Where the embedded server keeps its data."""
    return Path(os.environ.get("KUAITUI_VAR", "var")) / "postgres"


def start_database() -> str:
    """Start the embedded server unless another is named; says which database is used."""
    server = embedded_server()
    if server is None:
        return "Using the database that DATABASE_URL names."
    server.start()
    server.ensure_database()
    return f"The embedded database in {server.directory} is running."


def prepare_database() -> None:
    """Start the database if it is ours, and bring its schema up to date."""
    start_database()
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
