"""A program that submits many runs over HTTP from a pod, and does not give up on any: its text runs in the image.

Each run has a key, so what was sent twice because an answer was lost is accepted once.
"""

import json

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.images import APPLICATION
from cluster.harness.shell import eventually

NAME = "submitter"

PROGRAM = """
import itertools, json, sys, threading, time, urllib.error, urllib.request

address, token, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
numbers = iter(range(count))
lock = threading.Lock()
slowest, answers = 0.0, {}

def send(path, body):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/api/runs/{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0

def run(number):
    return {"task": "example.tasks.basic.count", "args": [f"chaos-{number}"], "key": f"chaos-{number}"}

def work(size):
    global slowest
    while True:
        with lock:
            chosen = list(itertools.islice(numbers, size))
        if not chosen:
            return
        path, body = ("", run(chosen[0])) if size == 1 else ("batch", {"runs": [run(number) for number in chosen]})
        began = time.monotonic()
        status = None
        while status not in (200, 202):
            if status is not None:
                time.sleep(0.2)
            status = send(path, body)
            with lock:
                answers[status] = answers.get(status, 0) + 1
            if 400 <= status < 500 and status != 429:
                raise SystemExit(f"{chosen} were refused with {status}")
        with lock:
            slowest = max(slowest, time.monotonic() - began)

threads = [threading.Thread(target=work, args=(size,)) for size in (1, 1, 1, 1, 20, 20)]
began = time.monotonic()
for thread in threads: thread.start()
for thread in threads: thread.join()
repeated = sum(times for status, times in answers.items() if status not in (200, 202))
print(json.dumps({"seconds": time.monotonic() - began, "slowest": slowest, "repeated": repeated, "answers": answers}))
"""


def start(namespace: Namespace, address: str, token: str, *, count: int) -> None:
    """Begin to submit `count` counting tasks to the web server at `address`, one by one and in batches."""
    namespace.apply(_pod([address, token, str(count)]))


def has_ended(namespace: Namespace) -> bool:
    phase = namespace.kubectl("get", "pod", NAME, "--output", "jsonpath={.status.phase}")
    assert phase != "Failed", f"the submitter failed: {namespace.logs(f'pod/{NAME}')}"
    return phase == "Succeeded"


def report(namespace: Namespace, *, within: float) -> dict[str, object]:
    """What it tells when every run is accepted."""
    eventually(lambda: has_ended(namespace), within=within, what="every run is accepted", every=2)
    told: dict[str, object] = json.loads(namespace.logs(f"pod/{NAME}"))
    return told


def _pod(arguments: list[str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": NAME,
                    "image": APPLICATION,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-c", PROGRAM, *arguments],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
