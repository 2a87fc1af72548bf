"""What a running process has used: CPU time and memory, as Linux counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")  # ticks in a second
_PROC: Final = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, of all its threads, and of its children that run.

    It is read from the clock that Linux has for each process, in nanoseconds. ``/proc/<pid>/stat`` shows the
    same sum, but in steps of 10 ms.
    """
    return sum(time.clock_gettime(_clock_of(member)) for member in members_of(pid))


def cpu_seconds_with_ended_children(pid: int) -> float:
    """Return the CPU time of a process and of all its children, also of those that have ended.

    Read from ``/proc/<pid>/stat``, in steps of 10 ms (proc_pid_stat(5): utime, stime, cutime, cstime).
    """
    return sum(sum(map(int, _stat(member)[11:15])) for member in members_of(pid)) / _TICKS


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a process in MB. ``proportional`` counts half of a page that two processes share."""

    resident: float
    proportional: float


def memory_of(pid: int) -> Memory:
    """Return the memory of one process, without its children."""
    lines = (_PROC / f"{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    kilobytes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)


def members_of(pid: int) -> list[int]:
    """Return a process and all its children, grandchildren and so on that run."""
    return [pid, *_descendants(pid)]


def _clock_of(pid: int) -> int:
    """Return the number of a process's CPU clock (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


def _descendants(pid: int) -> Iterator[int]:
    for thread in (_PROC / f"{pid}/task").iterdir():
        try:
            children = (thread / "children").read_text(encoding="ascii").split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has ended meanwhile
        for child in map(int, children):
            yield child
            yield from _descendants(child)


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/<pid>/stat`` after the name of the program, which may contain spaces."""
    return (_PROC / f"{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
