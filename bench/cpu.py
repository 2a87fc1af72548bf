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
    return sum(time.clock_gettime(_clock_of(member)) for member in (pid, *_descendants(pid)))


def cpu_seconds_with_ended_children(pid: int) -> float:
    """Return the CPU time of a process and of all its children, also of those that have ended.

    Read from ``/proc/<pid>/stat``, in steps of 10 ms (proc_pid_stat(5): utime, stime, cutime, cstime).
    """
    return sum(sum(map(int, _stat(member)[11:15])) for member in (pid, *_descendants(pid))) / _TICKS


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


def workers_of(pid: int) -> list[int]:
    """Return the processes that answer requests: the children of a server with several, or the server."""
    return [child for child in _descendants(pid) if "spawn_main" in _command_of(child)] or [pid]


def _clock_of(pid: int) -> int:
    """Return the number of a process's CPU clock (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


def _descendants(pid: int) -> Iterator[int]:
    for task in (_PROC / f"{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield int(child)
            yield from _descendants(int(child))


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/<pid>/stat`` after the name of the program, which may contain spaces."""
    return (_PROC / f"{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _command_of(pid: int) -> str:
    return (_PROC / f"{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
