"""The project's own Python environment, made from the lock file by whichever Python 3.11 to 3.13 runs a script."""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = Path(os.environ.get("UV_PROJECT_ENVIRONMENT", ROOT / ".venv"))
TOOLS = ROOT / ".cache" / "tools"


def ensure(*groups: str) -> Path:
    """Make or refresh the environment with the given dependency groups; returns its folder of programs.

    Needs only Python and its package index: uv, which reads the lock file, is installed beside it.
    """
    if not (3, 11) <= sys.version_info < (3, 14):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Rowlock needs Python 3.11, 3.12 or 3.13; this is {found}. Run: python3.13 {' '.join(sys.argv)}")
    uv = TOOLS / "bin" / "uv"
    if not uv.exists():
        print("installing uv", file=sys.stderr)
        venv.create(TOOLS, with_pip=True, clear=True)
        _run([str(TOOLS / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv>=0.8"])
    chosen = [argument for group in groups for argument in ("--group", group)]
    command = [
        str(uv),
        "sync",
        "--quiet",
        "--locked",
        "--inexact",
        "--no-install-project",
        "--no-default-groups",
        *chosen,
    ]
    # The interpreter that runs this script, not whichever uv finds first; nothing is downloaded for it.
    _run([*command, "--python", getattr(sys, "_base_executable", sys.executable)], UV_PYTHON_DOWNLOADS="never")
    return ENVIRONMENT / "bin"


def _run(command: list[str], **variables: str) -> None:
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode:
        sys.exit(f"failed: {' '.join(command)}")
