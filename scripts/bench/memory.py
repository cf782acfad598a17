"""Private memory of a prefork worker's processes, in MiB, after some tasks. Usage: memory.py TASKS

What a process shares with its parent is counted to the parent alone. The variant is that of the environment.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from project import VARIANT, app, nothing

tasks = int(sys.argv[1])
PATIENCE = 120.0


def private(pid: int) -> float:
    """Resident memory that no other process has, in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def left() -> int:
    with app.connection_for_read() as connection:
        queue = app.amqp.queues[app.conf.task_default_queue].bind(connection.default_channel)
        return int(queue.queue_declare(passive=True).message_count)


for _ in range(tasks):
    nothing.delay()
with Path(os.devnull).open("wb") as nowhere:
    command = [sys.executable, "-m", "celery", "-A", "project", "worker", "--concurrency", "2", "--loglevel", "ERROR"]
    worker = subprocess.Popen([*command, "--without-mingle", "--without-gossip"], stdout=nowhere)
try:
    deadline = time.monotonic() + PATIENCE
    while left():
        if time.monotonic() > deadline:
            sys.exit(f"{VARIANT}: {left()} tasks are left after {PATIENCE:.0f} s")
        time.sleep(0.5)
    time.sleep(1)
    pools = [pid for pid in children(worker.pid) if b"celery" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    print(private(worker.pid), *(private(pid) for pid in pools))
finally:
    worker.terminate()
    worker.wait()
