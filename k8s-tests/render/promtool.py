"""Prometheus' own checker, from PATH or from its image."""

import shutil
import subprocess

IMAGE = "prom/prometheus:v2.53.3"


def found() -> list[str] | None:
    """The command that runs promtool with what it reads on stdin; nothing where this machine has none."""
    if shutil.which("promtool") is not None:
        return ["promtool"]
    if shutil.which("docker") is None:
        return None
    known = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False)
    return None if known.returncode else ["docker", "run", "--rm", "--interactive", "--entrypoint", "promtool", IMAGE]


def complaints(command: list[str], rules: str) -> str:
    """What promtool has to say against a file of rules."""
    arguments = [*command, "check", "rules", "--lint=none"]
    done = subprocess.run(arguments, input=rules, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else done.stdout + done.stderr
