"""The example project over HTTP, through the Service."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from cluster.harness.release import Release
from cluster.harness.shell import eventually

ENDED = ("SUCCESS", "FAILURE", "REVOKED")


class Web:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def start(self, task: str, *args: Any, **kwargs: Any) -> str:
        """The id of a task that was accepted."""
        answer = self.client.post("/start_task/", json={"task": task, "args": args, "kwargs": kwargs})
        assert answer.status_code == 202, f"{task} was not accepted: {answer.status_code} {answer.text}"
        return str(answer.json()["task_id"])

    def look(self, task_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/get_result/{task_id}/")
        assert answer.status_code == 200, f"no result of {task_id}: {answer.status_code} {answer.text}"
        result: dict[str, Any] = answer.json()
        return result

    def wait(self, task_id: str, *, within: float = 120) -> dict[str, Any]:
        """The result of a task that ended, well or not."""

        def ended() -> dict[str, Any] | None:
            seen = self.look(task_id)
            return seen if seen["status"] in ENDED else None

        return eventually(ended, within=within, what=f"the end of task {task_id}")

    def do(self, task: str, *args: Any, **kwargs: Any) -> Any:
        """The result of a task that ends well."""
        ended = self.wait(self.start(task, *args, **kwargs))
        assert ended["status"] == "SUCCESS", f"{task} ended as {ended}"
        return ended["result"]

    def failure(self, task: str, *args: Any, **kwargs: Any) -> str:
        """What a task that fails says."""
        ended = self.wait(self.start(task, *args, **kwargs))
        assert ended["status"] == "FAILURE", f"{task} ended as {ended}"
        return str(ended["result"])

    def upload(self, name: str, content: bytes) -> str:
        """The id of a stored file."""
        answer = self.client.post("/files/", files={"file": (name, content)})
        assert answer.status_code == 201, f"{name} was not taken: {answer.status_code} {answer.text}"
        return str(answer.json()["id"])

    def download(self, file_id: str) -> bytes:
        answer = self.client.get(f"/files/{file_id}/")
        assert answer.status_code == 200, f"file {file_id}: {answer.status_code} {answer.text}"
        return answer.content


@contextmanager
def web_of(release: Release) -> Iterator[Web]:
    """The web Service of `release`, forwarded to this machine."""
    target = f"service/{release.fullname}-web"
    # The server closes idle connections, and a forwarded one does not show that before a request is lost in it.
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        forwarded(release, target, "http") as address,
        httpx.Client(base_url=address, timeout=30, limits=limits) as client,
    ):
        yield Web(client)


@contextmanager
def forwarded(release: Release, target: str, port: str) -> Iterator[str]:
    namespace = release.namespace
    command = ["kubectl", "--kubeconfig", str(namespace.cluster.kubeconfig), "--namespace", namespace.name]
    with TemporaryDirectory() as folder:
        # A file and not a pipe: kubectl writes a line for every connection and would stop at a full pipe.
        log = Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.Popen([*command, "port-forward", target, f":{port}"], stdout=output, stderr=output)
        try:

            def local_port() -> str | None:
                text = log.read_text()
                assert process.poll() is None, f"the forwarding to {target} ended: {text}"
                found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+)", text)
                return found[1] if found else None

            yield f"http://127.0.0.1:{eventually(local_port, within=60, what=f'a port to {target}', every=0.1)}"
        finally:
            process.terminate()
            process.wait()
