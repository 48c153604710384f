"""`kuaitui simulate`: years of a marketplace in minutes, with everything that can go wrong."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from kuaitui.simulation.figures import Figures
    from kuaitui.simulation.plan import Recipe

SHOPS_MAX = 100
YEARS_MAX = 100_000.0
DENSITY_MAX = 10.0
SHRINK_FOR_S = 120.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--seed", type=int, default=1, help="the first history")
    parser.add_argument("--years", type=_years, default=10.0, help="how many years in all")
    parser.add_argument("--shops", type=_shops, default=3, help="shops in each history")
    parser.add_argument("--severity", type=float, default=1.0, help="times the everyday faults")
    parser.add_argument("--density", type=_density, default=1.0, help="times the standard acts")
    parser.add_argument("--repeats", type=int, default=0, help="more notifications for each")
    parser.add_argument("--without", default="", help="kinds of acts or faults left out: a,b,…")
    parser.add_argument("--acts", default="", help="the numbers of the acts that are kept")
    parser.add_argument(
        "--shrink-for", type=float, default=SHRINK_FOR_S, metavar="SECONDS",
        help="how long to look for the shortest history of a finding",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def _years(text: str) -> float:
    years = float(text)
    if not 0 < years <= YEARS_MAX:
        raise argparse.ArgumentTypeError(f"more than nothing, at most {YEARS_MAX:g}")
    return years


def _density(text: str) -> float:
    density = float(text)
    if not 0 < density <= DENSITY_MAX:
        raise argparse.ArgumentTypeError(f"more than nothing, at most {DENSITY_MAX:g}")
    return density


def _shops(text: str) -> int:
    shops = int(text)
    if not 0 < shops <= SHOPS_MAX:
        raise argparse.ArgumentTypeError(f"from 1 to {SHOPS_MAX}")
    return shops


def run(arguments: argparse.Namespace) -> int:
    """Play the histories on a temporary database; 1 when something was found."""
    with tempfile.TemporaryDirectory(prefix="kuaitui-simulate-") as directory:
        os.environ.update({"KUAITUI_VAR": directory, "KUAITUI_PLAIN_HTTP": "1"})
        os.environ["KUAITUI_LOG_LEVEL"] = "CRITICAL"
        os.environ["DATABASE_URL"] = os.environ.get("KUAITUI_SIMULATION_DATABASE_URL", "")
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    from kuaitui.simulation.databases import temporary_server  # noqa: PLC0415

    _say("Starting a database of its own (fsync off: it is thrown away) …")
    with temporary_server() as url:
        os.environ["DATABASE_URL"] = url
        django.setup()
        return _simulate(arguments, url)


def _simulate(arguments: argparse.Namespace, url: str) -> int:
    # Only now: these modules read the settings that were made above.
    from kuaitui.simulation.databases import Databases  # noqa: PLC0415
    from kuaitui.simulation.figures import Figures  # noqa: PLC0415
    from kuaitui.simulation.plan import recipes_of  # noqa: PLC0415
    from kuaitui.simulation.running import play  # noqa: PLC0415
    from kuaitui.simulation.shrinking import shrink  # noqa: PLC0415

    databases, total = Databases(url), Figures()
    for recipe in recipes_of(recipe_of(arguments)):
        figures = play(recipe, databases)
        total.add(figures)
        _say(_progress(recipe, figures))
        if figures.findings:
            _report_failure(recipe, figures)
            smaller = shrink(recipe, databases, within_s=arguments.shrink_for)
            _say(f"The shortest history found:\n  {smaller.command()}")
            break
    if arguments.json:
        print(json.dumps(total.to_json(), ensure_ascii=False, indent=2))
    else:
        _print(total.to_json())
    return 1 if total.findings else 0


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """What the command line asks for."""
    from kuaitui.simulation.plan import Recipe  # noqa: PLC0415

    return Recipe(
        seed=arguments.seed,
        years=arguments.years,
        shops=arguments.shops,
        severity=arguments.severity,
        density=arguments.density,
        repeats=arguments.repeats,
        without=frozenset(filter(None, arguments.without.split(","))),
        only_acts=tuple(int(number) for number in arguments.acts.split(",") if number) or None,
    )


def _progress(recipe: Recipe, figures: Figures) -> str:
    return (
        f"seed {recipe.seed}: {recipe.years:g} years, {figures.journals.total():,} money operations, "
        f"{figures.faults.total():,} faults, {figures.crashes.total():,} crashes, "
        f"{figures.notifications:,} notifications in {figures.seconds:.1f} s: "
        f"{'nothing found' if not figures.findings else 'FOUND'}"
    )


def _report_failure(recipe: Recipe, figures: Figures) -> None:
    for finding in figures.findings:
        _say(f"  {finding}")
    _say(f"Again with:\n  {recipe.command()}")


def _print(report: dict[str, Any]) -> None:
    for name, value in report.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count:,}" for key, count in value.items())
        print(f"{name.replace('_', ' '):<28}{shown}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
