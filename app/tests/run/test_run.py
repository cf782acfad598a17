"""`scripts/run`: one terminal with web, worker and beat, on the embedded default or on the services it is given."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import APP, free_port, wait_until

SERVICES = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")
EMBEDDED = dict.fromkeys(SERVICES, "")


@dataclass(frozen=True, kw_only=True)
class Terminal:
    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def start(self, task: str, *args: object) -> str:
        body = json.dumps({"task": task, "args": args}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/start_task/", data=body)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as response:
            return str(json.load(response)["task_id"])

    def status(self, task_id: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/get_result/{task_id}/", timeout=30) as response:
            return str(json.load(response)["status"])

    def said(self, words: str) -> bool:
        return words in self.output.read_text()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        return self.process.wait(timeout=120)


@contextmanager
def terminal(folder: Path, **variables: str) -> Iterator[Terminal]:
    """`scripts/run` on the embedded default, whatever services the test run has, unless `variables` name some."""
    port, output = free_port(), folder / f"output-{free_port()}"
    environment = {**os.environ, **EMBEDDED, "ROWLOCK_EMBEDDED_DIR": str(folder), **variables}
    command = [sys.executable, str(APP.parent / "scripts" / "run"), "--port", str(port), "--concurrency", "1"]
    with output.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    opened = Terminal(process=process, port=port, output=output)
    try:
        wait_until(f"scripts/run is ready, see {output}", lambda: opened.said("ready: ") or process.poll(), seconds=120)
        yield opened
    finally:
        while process.poll() is None:
            opened.interrupt()
            wait_until("scripts/run has reacted", lambda: process.poll() is not None or opened.said("stopping"))


def processes_in(folder: Path) -> list[str]:
    """The command lines of all processes that were started with `folder` as their place for data."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"ROWLOCK_EMBEDDED_DIR={folder}\0".encode() in environment.read_bytes():
                found.append((environment.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_ctrl_c_lets_the_running_task_finish_and_leaves_no_process(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        opened.start("example.tasks.basic.wait", 5)
        wait_until("the task has reached the worker", lambda: opened.said("wait[") and opened.said("received"))

        opened.interrupt()
        status = opened.end()

    assert status == 0, opened.output.read_text()
    assert opened.said("succeeded in"), opened.output.read_text()
    assert processes_in(tmp_path) == []


def test_a_second_ctrl_c_puts_the_running_task_back_for_the_next_run(tmp_path: Path) -> None:
    with terminal(tmp_path) as first:
        task_id = first.start("example.tasks.basic.wait", 20)
        wait_until("the task runs", lambda: first.status(task_id) in {"STARTED", "PROGRESS"})
        first.interrupt()
        wait_until("it says that it stops", lambda: first.said("stopping"))
        first.interrupt()
        assert first.end() == 0, first.output.read_text()

    with terminal(tmp_path) as second:
        wait_until("the task has finished", lambda: second.status(task_id) == "SUCCESS", seconds=90)


def test_a_process_that_ends_by_itself_stops_the_rest(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        beat = next(pid for pid in Path("/proc").glob("[0-9]*") if is_beat_in(pid, tmp_path))
        os.kill(int(beat.name), signal.SIGKILL)

        status = opened.end()

    assert status == 1
    assert opened.said("beat ended by itself"), opened.output.read_text()
    assert processes_in(tmp_path) == []


def is_beat_in(process: Path, folder: Path) -> bool:
    try:
        return (
            b"\0beat\0" in (process / "cmdline").read_bytes()
            and f"={folder}\0".encode() in (process / "environ").read_bytes()
        )
    except OSError:
        return False


def test_a_taken_port_is_named_with_another(tmp_path: Path) -> None:
    with terminal(tmp_path) as opened:
        command = [sys.executable, str(APP.parent / "scripts" / "run"), "--port", str(opened.port)]

        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode != 0
    assert f"Port {opened.port} is taken. Choose another" in ended.stderr


@pytest.mark.parametrize("variable", ["BROKER_URL", "TIME_ZONE"])
def test_a_wrong_variable_is_named_before_anything_starts(tmp_path: Path, variable: str) -> None:
    command = [sys.executable, str(APP.parent / "scripts" / "run"), "--port", str(free_port())]
    environment = {**os.environ, "ROWLOCK_EMBEDDED_DIR": str(tmp_path), variable: "nonsense"}

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode != 0
    assert variable in ended.stderr


@pytest.mark.usefixtures("real_services")
def test_variables_switch_to_real_services(tmp_path: Path) -> None:
    given = {name: os.environ[name] for name in SERVICES}

    with terminal(tmp_path, **given) as opened:
        task_id = opened.start("example.tasks.basic.add", 2, 3)

        wait_until("the result", lambda: opened.status(task_id) == "SUCCESS")
    assert opened.said("Connected to amqp://"), opened.output.read_text()
