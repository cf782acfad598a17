"""Prometheus' own checker, from PATH or from its image."""

import shutil
import subprocess
from pathlib import Path

IMAGE = "prom/prometheus:v2.53.3"


def found(*, reading: Path | None = None) -> list[str] | None:
    """The command that runs promtool, which may read stdin and files below `reading`; None where there is none here."""
    if shutil.which("promtool") is not None:
        return ["promtool"]
    if shutil.which("docker") is None:
        return None
    known = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False)
    if known.returncode:
        return None
    files = [] if reading is None else ["--volume", f"{reading}:{reading}:ro"]
    return ["docker", "run", "--rm", "--interactive", *files, "--entrypoint", "promtool", IMAGE]


def complaints(command: list[str], rules: str) -> str:
    """What promtool has to say against a file of rules."""
    arguments = [*command, "check", "rules", "--lint=none"]
    done = subprocess.run(arguments, input=rules, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else done.stdout + done.stderr
