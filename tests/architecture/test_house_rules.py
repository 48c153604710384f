"""Rules of the house that a reader could forget and a program does not."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "kuaitui"
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 500

# Where every failure is caught: outermost loops, which log it, report it, or raise it at their end.
OUTERMOST = {
    "deductions/operations/sweep.py",
    "interfaces/worker/carriers.py",
    "interfaces/worker/crew.py",
    "interfaces/worker/loops.py",
    "interfaces/worker/sweeps.py",
    "kit/outbox.py",
    "refunds/operations/sweep.py",
    "simulation/history.py",
}
WORDS_AVOIDED = {"txn", "amt", "mgr", "utils", "helpers", "common", "manager", "misc"}
FILES_NAMED_FOR_NOTHING = {"utils.py", "helpers.py", "common.py", "misc.py", "base.py", "core.py"}


def python_files(*, with_migrations: bool = False) -> list[Path]:
    files = sorted(SOURCE.rglob("*.py"))
    return [path for path in files if with_migrations or "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {name_of(path): ast.parse(path.read_text()) for path in python_files()}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_function_is_longer_than_a_page(trees) -> None:
    long = [
        f"{name}: {function.name} has {lines} lines"
        for name, tree in trees.items()
        for function in functions(tree)
        if (lines := lines_of(function)) > FUNCTION_LINES_MAX
    ]

    assert long == [], "\n".join(long)


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From its name to its end, without the docstring."""
    first = function.body[0]
    documents = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documents else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_no_file_is_too_long_to_read_at_once() -> None:
    long = {
        name_of(path): lines
        for path in python_files()
        if (lines := path.read_text().count("\n")) > FILE_LINES_MAX
    }

    assert long == {}


def test_only_outermost_loops_catch_whatever_comes(trees) -> None:
    catching = {
        name
        for name, tree in trees.items()
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler) and catches_all(handler) and not raises(handler)
    }

    assert catching <= OUTERMOST
    assert catching == OUTERMOST & set(trees), "the list names a file that no longer needs it"


def catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"} for one in caught
    )


def raises(handler: ast.ExceptHandler) -> bool:
    """Whether the handler itself raises, and so swallows nothing."""
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def test_nobody_catches_a_broken_invariant(trees) -> None:
    catching = [
        f"{name}:{handler.lineno}"
        for name, tree in trees.items()
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler)
        and handler.type is not None
        and "InvariantViolated" in ast.unparse(handler.type)
        and not raises(handler)
    ]

    assert catching == []


def test_names_are_written_out(trees) -> None:
    short = [
        f"{name}:{node.lineno} {word}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        for word in names_given(node)
        if set(word.lower().split("_")) & WORDS_AVOIDED
    ]
    files = [name_of(path) for path in python_files() if path.name in FILES_NAMED_FOR_NOTHING]

    assert short == []
    assert files == []


def names_given(node: ast.AST) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case _:
            return []


def test_money_is_never_a_float(trees) -> None:
    floats = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if name.startswith(("kernel/money", "ledger/", "deposits/", "payouts/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "float"
    ]

    assert floats == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in SOURCE.rglob("__init__.py")
        if "migrations" not in path.parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_a_to_do_names_its_issue() -> None:
    marks = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b(?!.*#\d+)")
    left = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*python_files(with_migrations=True), *(ROOT / "tests").rglob("*.py")]
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if marks.search(line)
    ]

    assert left == []


def test_no_file_names_where_packages_came_from() -> None:
    # Written in two halves, so that this file does not name them either.
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "index" + "-url", "extra-" + "index"]
    allowed = {"Makefile"}  # says not to write them down
    named = {
        str(path.relative_to(ROOT)): host
        for path in tracked_files()
        if path.suffix not in {".png", ".jpg", ".mo", ".woff2"} and path.name not in allowed
        for host in hosts
        if host in path.read_text(errors="replace")
    }

    assert named == {}


def test_no_secret_and_no_data_is_kept_in_the_repository() -> None:
    forbidden = re.compile(r"(^|/)(var/|\.env$|secret_key$|keyring\.json$|.*\.sqlite3$|.*\.pem$)")
    kept = [
        name
        for path in tracked_files()
        if forbidden.search(name := path.relative_to(ROOT).as_posix())
    ]

    assert kept == []
