"""celery-exporter (danihodovic's), which makes metrics of Celery's events: from its package, as its README has it.

https://github.com/danihodovic/celery-exporter
"""

import http.client
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apart
from processes import Group, free_port, running, until

ENVIRONMENT = "celery-exporter"
#: Seconds without a further event after which those that were not counted are given up.
PATIENCE = 3.0


@dataclass(frozen=True, kw_only=True)
class Exporter:
    group: Group
    port: int

    def counted(self) -> int:
        """Succeeded tasks so far."""
        lines = self._metrics().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("celery_task_succeeded_total{")))

    def settle(self, tasks: int) -> int:
        """Wait until it has counted as many tasks, or no more come; returns how many it has."""
        counted, moved = self.counted(), time.monotonic()
        while counted < tasks and time.monotonic() - moved < PATIENCE:
            self.group.require_alive()
            time.sleep(0.1)
            before, counted = counted, self.counted()
            if counted > before:
                moved = time.monotonic()
        return counted

    def answers(self) -> bool:
        return bool(self._metrics())

    def _metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()


@contextmanager
def exporting(log: Path) -> Iterator[Exporter]:
    """One that listens to all events of the broker for the block."""
    port = free_port()
    # The package has no program, and its module does nothing when it is run.
    program = ("python", "-c", "from src.cli import cli; cli()", "--log-level", "ERROR")
    command = (*program, "--broker-url", os.environ["BROKER_URL"], "--host", "127.0.0.1", "--port", str(port))
    with running(command, log, variables={"PATH": apart.path(ENVIRONMENT)}) as group:
        exporter = Exporter(group=group, port=port)
        until(exporter.answers, group, "celery-exporter answers", pause=0.2)
        yield exporter
