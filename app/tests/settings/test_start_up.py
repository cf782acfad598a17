"""Every process refuses to start on a wrong environment, naming the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import APP, free_port

WRONG = {"DEBUG": "true", "LOG_LEVEL": "loud"}
COMMANDS = {
    "web": ["gunicorn", "example.asgi:application", "--worker-class", "asgi", "--bind", "127.0.0.1:0"],
    "worker": ["celery", "-A", "example.celery:app", "worker", "--pool", "solo"],
    "beat": ["celery", "-A", "example.celery:app", "beat", "--pidfile="],
    "migrate": ["manage", "migrate"],
}


@pytest.mark.parametrize("process", COMMANDS)
def test_a_process_with_a_wrong_variable_ends_and_names_it(process: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **WRONG,
        "DJANGO_SETTINGS_MODULE": "example.settings",
        "ROWLOCK_EMBEDDED_DIR": str(tmp_path),
        "ROWLOCK_PORT": str(free_port()),
    }

    ended = subprocess.run(
        [sys.executable, "-m", *COMMANDS[process]],
        cwd=APP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert ended.returncode != 0, f"{process} ended with 0"
    assert "LOG_LEVEL is 'loud', which is not valid" in ended.stderr + ended.stdout


def test_check_deploy_is_clean_with_a_complete_environment(tmp_path: Path) -> None:
    from tests.settings.test_environment import COMPLETE

    ended = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=APP,
        env={**os.environ, "DEBUG": "false", "ROWLOCK_EMBEDDED_DIR": str(tmp_path), **COMPLETE},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
