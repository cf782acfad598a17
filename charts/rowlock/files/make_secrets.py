"""Make the keys that a Secret lacks, once: what is there is never changed.

Runs in the cluster with nothing but Python's standard library, as a ServiceAccount that may create Secrets
and read and patch the one that is named here.
"""

import argparse
import base64
import json
import secrets
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVER = "https://kubernetes.default.svc"
PATIENCE = 120.0
ABOUT = (
    "Generated once by the chart, and kept over upgrades and after helm uninstall, because the volumes "
    "were initialised with these passwords. To delete it: "
    "kubectl delete secret --namespace {namespace} {name}"
)


class RefusedError(Exception):
    """The API server answered, and the answer is no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server says {status}: {message}")
        self.status = status


class Cluster:
    def __init__(self, account: Path = ACCOUNT, server: str = SERVER) -> None:
        self.namespace = (account / "namespace").read_text().strip()
        self._token = (account / "token").read_text().strip()
        self._tls = ssl.create_default_context(cafile=str(account / "ca.crt"))
        self._secrets = f"{server}/api/v1/namespaces/{self.namespace}/secrets"

    def get(self, name: str) -> dict[str, Any] | None:
        try:
            return self._call("GET", f"/{name}")
        except RefusedError as refusal:
            if refusal.status == 404:
                return None
            raise

    def create(self, secret: dict[str, Any]) -> None:
        self._call("POST", "", secret)

    def patch(self, name: str, change: dict[str, Any]) -> None:
        self._call("PATCH", f"/{name}", change, "application/merge-patch+json")

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the server is a constant
            self._secrets + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=10) as response:  # noqa: S310
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise RefusedError(error.code, error.read().decode(errors="replace")) from error


def generate(keys: list[str]) -> dict[str, str]:
    """Values that need no quoting in a URL, a shell or a configuration file."""
    return {key: base64.b64encode(secrets.token_hex(32).encode()).decode() for key in keys}


def ensure(cluster: Cluster, name: str, labels: dict[str, str], keys: list[str]) -> str:
    """Bring the Secret to hold every key, and say what was done."""
    found = cluster.get(name)
    if found is None:
        metadata = {
            "name": name,
            "labels": labels,
            "annotations": {"rowlock.dev/about": ABOUT.format(namespace=cluster.namespace, name=name)},
        }
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "Opaque",
                "metadata": metadata,
                "data": generate(keys),
            }
        )
        return f"made Secret {name} with {', '.join(keys)}"
    absent = [key for key in keys if key not in (found.get("data") or {})]
    if not absent:
        return f"Secret {name} has everything: {', '.join(keys)}"
    # The version makes a writer who came in between win; then we look again.
    version = {"resourceVersion": found["metadata"]["resourceVersion"]}
    cluster.patch(name, {"metadata": version, "data": generate(absent)})
    return f"added {', '.join(absent)} to Secret {name}"


def ensure_patiently(cluster: Cluster, name: str, labels: dict[str, str], keys: list[str]) -> str:
    """A pod's network and its permissions may come a little after the pod itself."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ensure(cluster, name, labels, keys)
        except (RefusedError, OSError) as error:
            if time.monotonic() > deadline:
                raise
            print(f"not yet: {error}; trying again", flush=True)
            time.sleep(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="the Secret")
    parser.add_argument("--labels", type=json.loads, default={}, help="its labels, as JSON")
    parser.add_argument("keys", nargs="+", help="the keys that it has to have")
    options = parser.parse_args()
    try:
        print(ensure_patiently(Cluster(), options.name, options.labels, options.keys))
    except RefusedError as refusal:
        hint = "it needs the chart's Role and RoleBinding" if refusal.status == 403 else "see the message"
        sys.exit(f"Secret {options.name} was not made: {refusal} ({hint})")
    except OSError as error:
        sys.exit(
            f"Secret {options.name} was not made: no way to the API server at {SERVER} ({error}). "
            "Do network policies let this pod reach its port (443 or 6443)?"
        )


if __name__ == "__main__":
    main()
