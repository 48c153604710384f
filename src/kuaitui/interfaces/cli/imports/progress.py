"""Progress on stderr: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from kuaitui.kernel.clock import read_stopwatch_s

PLAIN_LINE_EVERY_S = 5.0


class Display:
    """What the person who imports sees."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._name = ""
        self._rows_before = 0
        self._started_s = 0.0
        self._said_s = 0.0

    def say(self, sentence: str) -> None:
        """One line of plain words."""
        self._console.print(sentence, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, name: str, *, rows_done: int) -> Iterator[None]:
        """Show progress on one group of files."""
        self._name, self._rows_before = name, rows_done
        self._started_s = self._said_s = read_stopwatch_s()
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[rows]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as self._progress:
            self._task = self._progress.add_task(name, total=1.0, rows="")
            yield
        self._progress = None

    def advance(self, rows_read: int, rows_refused: int, part_read: float) -> None:
        """Say how far it is."""
        elapsed_s = max(read_stopwatch_s() - self._started_s, 0.001)
        pace = (rows_read - self._rows_before) / elapsed_s
        rows = f"{rows_read:,} rows, {rows_refused:,} refused, {pace:,.0f} rows/s"
        if self._progress is not None:
            self._progress.update(self._task, completed=part_read, rows=rows)
        elif read_stopwatch_s() - self._said_s >= PLAIN_LINE_EVERY_S:
            self._said_s = read_stopwatch_s()
            self.say(f"{self._name}: {part_read:.0%}, {rows}")
