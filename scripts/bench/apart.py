"""Programs whose packages must not meet those of the project: each has an environment of its own, made from a list that
is locked like uv.lock.

Two want an older Redis client than the project has, one overwrites a module of django-celery-beat, and uvloop, which
makes asyncio peers faster, would change every other one. To renew a list, with what it is for on standard input:

    uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \\
        --output-file scripts/bench/locked/arq.txt - <<< $'arq\\nuvloop'
"""

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import environment

LOCKED = Path(__file__).resolve().parent / "locked"


@cache
def programs(name: str) -> Path:
    """The folder of programs of the environment `name`, which is made if it is not there.

    Ends the benchmark if its packages cannot be had.
    """
    locked = LOCKED / f"{name}.txt"
    python = getattr(sys, "_base_executable", sys.executable)
    of = hashlib.sha256(locked.read_bytes() + f"{python} {sys.version}".encode()).hexdigest()[:12]
    folder = environment.ROOT / ".cache" / "bench" / f"{name}-{of}"
    done = folder / "done"
    if not done.exists():
        print(f"installing {name}", file=sys.stderr)
        uv = str(environment.TOOLS / "bin" / "uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", python, str(folder))
        _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(folder / "bin" / "python"), str(locked))
        done.touch()
    return folder / "bin"


def path(name: str) -> str:
    """PATH with the programs of an environment before all others, or as it is without a name."""
    return f"{programs(name)}{os.pathsep}{os.environ['PATH']}" if name else os.environ["PATH"]


def versions(name: str) -> dict[str, str]:
    """Of the packages in a list."""
    lines = (LOCKED / f"{name}.txt").read_text().splitlines()
    pinned = (line.split()[0].split("==") for line in lines if "==" in line and not line.startswith(" "))
    return {package.partition("[")[0]: version for package, version in pinned}


def _run(*command: str) -> None:
    if subprocess.run(command, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"}, check=False).returncode:
        sys.exit(f"failed: {' '.join(command)}; --peers leaves it out")
