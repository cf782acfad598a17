"""The processor time of RabbitMQ, Redis and Postgres, where they run in Docker containers on this machine (Linux)."""

import json
import os
import subprocess
from functools import cache
from urllib.parse import urlsplit

from processes import cpu, descendants

#: What is told of each service, and the variable that says where it is.
SERVICES = {"RabbitMQ": "BROKER_URL", "Redis": "REDIS_URL", "Postgres": "DATABASE_URL"}


def used() -> dict[str, float]:
    """Seconds of processor time used so far by each service; empty if one of them is elsewhere."""
    spent = {name: sum(cpu(one) for one in (pid, *descendants(pid))) for name, pid in _pids().items()}
    return spent if all(spent.values()) and len(spent) == len(SERVICES) else {}


@cache
def _pids() -> dict[str, int]:
    """The first process of each service's container."""
    try:
        listed = subprocess.run(["docker", "ps", "--quiet"], capture_output=True, text=True, check=False).stdout.split()
        if not listed:
            return {}
        told = subprocess.run(["docker", "inspect", *listed], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    at: dict[tuple[str | None, int | None], int] = {}
    for container in json.loads(told):
        pid = int(container["State"]["Pid"])
        networks = container["NetworkSettings"]["Networks"].values()
        at.update({(network["IPAddress"], None): pid for network in networks})
        for published in container["NetworkSettings"]["Ports"].values():
            at.update({(one["HostIp"], int(one["HostPort"])): pid for one in published or ()})
    found = {}
    for name, variable in SERVICES.items():
        address = urlsplit(os.environ[variable])
        pid_of = at.get((address.hostname, None)) or at.get((address.hostname, address.port))
        if pid_of:
            found[name] = pid_of
    return found
