#!/usr/bin/env python3
"""What a probe costs, in milliseconds of wall time and of CPU on both sides: GET /readyz, and `celery inspect ping`.

Both ask the same prefork worker of the example, on real services (in Docker, or the ones that DATABASE_URL, BROKER_URL
and REDIS_URL name). The client of GET is Python's; kubelet's costs less.
"""

import argparse
import http.client
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment  # noqa: E402
import services  # noqa: E402

APP = environment.ROOT / "app"
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gets", type=int, default=2000, help="probes over HTTP (2000)")
    parser.add_argument("--pings", type=int, default=5, help="runs of `celery inspect ping` (5)")
    options = parser.parse_args()
    programs = environment.ensure("example")
    with services.real_services() as variables:
        if variables is None:
            sys.exit("The benchmark needs Docker, or DATABASE_URL, BROKER_URL and REDIS_URL.")
        os.environ.update(variables, DEBUG="true", ROWLOCK_PORT=str(_free_port()))
        subprocess.run([str(programs / "python"), "manage.py", "migrate", "--verbosity", "0"], cwd=APP, check=True)
        name = f"{uuid4().hex}@probed"
        celery = [str(programs / "celery"), "-A", "example.celery:app"]
        command = [*celery, "worker", "--hostname", name, "--concurrency", "1", "--loglevel", "ERROR"]
        worker = subprocess.Popen(command, cwd=APP, stdout=subprocess.DEVNULL)
        try:
            _wait_until_ready()
            get = _cost(worker.pid, _get, options.gets)
            ping = [*celery, "inspect", "ping", "--destination", name, "--timeout", "10"]
            pinged = _cost(worker.pid, lambda: _run(ping), options.pings)
        finally:
            worker.terminate()
            worker.wait()
    ratios = {kind: round(pinged[kind] / get[kind]) for kind in get}
    print(json.dumps({"GET /readyz": get, "celery inspect ping": pinged, "times as much": ratios}, indent=2))


def _cost(worker: int, probe: Callable[[], None], times: int) -> dict[str, float]:
    walls = []
    before = _cpu(worker) + _own_cpu()
    for _ in range(times):
        began = time.perf_counter()
        probe()
        walls.append(time.perf_counter() - began)
    cpu = (_cpu(worker) + _own_cpu() - before) / times
    return {"wall ms": round(statistics.median(walls) * 1000, 2), "cpu ms": round(cpu * 1000, 2)}


def _get() -> None:
    # As kubelet does: a connection for each probe.
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["ROWLOCK_PORT"]), timeout=5)
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK:
        sys.exit(f"the worker is not ready: {response.read().decode()}")
    connection.close()


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=APP, check=True, stdout=subprocess.DEVNULL)


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used so far, its children not counted (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _own_cpu() -> float:
    """Seconds of CPU of this process and of the children that have ended."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))


def _wait_until_ready() -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return _get()
        except (OSError, SystemExit):
            if time.monotonic() > deadline:
                sys.exit("the worker is not ready after a minute")
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
