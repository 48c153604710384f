"""What the figures were measured on, and how much of it others used meanwhile."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Others:
    """The share of the machine that neither we nor our server used."""

    share: float = 0.0


@contextlib.contextmanager
def cpu_used_by_others(postmaster: int | None) -> Iterator[Others]:
    """Watch the machine during a sample."""
    others = Others()
    busy, total, ours = *_machine_ticks(), _our_ticks(postmaster)
    yield others
    busy_after, total_after = _machine_ticks()
    foreign = (busy_after - busy) - (_our_ticks(postmaster) - ours)
    others.share = max(0.0, foreign / max(1, total_after - total))


def describe() -> dict[str, object]:
    """The machine in the words of a reader who wants to compare."""
    return {
        "processor": _field("/proc/cpuinfo", "model name"),
        "processors": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit measured, marked if files differ from it."""
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return run.stdout.strip() or "unknown"


def proportional_memory_bytes(pids: list[int]) -> int:
    """Memory of some processes together; what they share is counted once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def descendants(pid: int) -> list[int]:
    """A process and every process it started, directly or not."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting += children.get(current, [])
    return found


def _machine_ticks() -> tuple[int, int]:
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return sum(numbers) - idle, sum(numbers)


def _our_ticks(postmaster: int | None) -> int:
    pids = {*descendants(os.getpid()), *([] if postmaster is None else descendants(postmaster))}
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(word) for word in words[11:15])  # own and waited-for children's
    return total


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "unknown"
