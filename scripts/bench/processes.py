"""Processes that are measured: started together, ended together, and what they and their children use (Linux)."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds after TERM until what still runs is killed.
PATIENCE = 20.0


class Group:
    """Processes of one kind, each in a session of its own; what they print is in a file."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]], log: Path) -> None:
        self._processes = processes
        self._log = log

    @property
    def pids(self) -> list[int]:
        """The processes that were started, and all below them."""
        return [pid for process in self._processes for pid in (process.pid, *descendants(process.pid))]

    def cpu(self) -> float:
        """Seconds of processor time used so far, that of ended children included."""
        return sum(cpu(pid) for pid in self.pids)

    def require_alive(self) -> None:
        """Ends the benchmark if one of them has ended, with the last of what it printed."""
        for process in self._processes:
            if process.poll() is not None:
                self.fail(f"{process.args!r} ended with status {process.returncode}")

    def fail(self, what: str) -> None:
        """Ends the benchmark."""
        printed = self._log.read_text(errors="replace").splitlines()[-40:]
        sys.exit("\n".join([*printed, f"{what}; all it printed is in {self._log}"]))

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, *, copies: int = 1, variables: Mapping[str, str] | None = None
) -> Iterator[Group]:
    """`copies` of a command for the block; {copy} in it becomes the number of each."""
    with log.open("ab") as printed:
        group = Group(
            [
                subprocess.Popen(
                    [part.replace("{copy}", str(copy)) for part in command],
                    env={**os.environ, **(variables or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for copy in range(copies)
            ],
            log,
        )
    try:
        yield group
    finally:
        group.stop()


def until(condition: Callable[[], bool], group: Group, what: str, *, seconds: float = 120, pause: float = 0.02) -> None:
    """Wait; the benchmark ends if `group` does before, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        group.require_alive()
        if time.monotonic() > deadline:
            group.fail(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def descendants(pid: int) -> list[int]:
    below: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                below += [int(child), *descendants(int(child))]
    return below


def cpu(pid: int) -> float:
    """Seconds of processor time of a process and of its children that have ended; 0 once it has ended itself."""
    try:
        # After the name in parentheses, which may have any character: state, parent, ... (proc_pid_stat(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def memory(pid: int) -> tuple[float, float]:
    """MiB that no other process has, and MiB with its share of what others have too; 0 for a process that ended."""
    try:
        lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    except OSError:
        return 0.0, 0.0
    sizes = {name.rstrip(":"): int(size) / 1024 for name, size, *_ in lines}
    return sizes["Private_Clean"] + sizes["Private_Dirty"], sizes["Pss"]
