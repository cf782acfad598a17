import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class CommandError(Exception):
    """A command failed; the message shows all that it printed."""


def run(
    *command: str,
    stdin: str | None = None,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """What `command` prints on standard output; raises CommandError when it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(command)}: still running after {timeout:.0f} s") from error
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def succeeds(*command: str) -> bool:
    try:
        run(*command)
    except CommandError:
        return False
    return True


def eventually(probe: Callable[[], T | None], *, within: float, what: str, every: float = 0.5) -> T:
    """The first truthy answer of `probe`; fails naming `what` when there is none `within` so many seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s: {what} (last seen: {answer!r})")
        time.sleep(every)
