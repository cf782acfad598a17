"""The API server of the cluster that this process runs in, as its pod's ServiceAccount may use it.

The standard library does for the two small things that are asked here (the cost of deleting this pod, a Lease), and
starts quicker than a client library.
"""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVER = "https://kubernetes.default.svc"
#: Seconds after which a question without an answer counts as refused.
PATIENCE = 5.0


class ClusterError(Exception):
    """The API server refused or did not answer; `status` is its HTTP status, 0 where there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def call(
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    kind: str = "application/json",
    account: Path = ACCOUNT,
    server: str = SERVER,
    patience: float = PATIENCE,
) -> dict[str, Any]:
    """The JSON answer to `method` on `path`, as in `call("GET", "/api/v1/namespaces/shop/pods/web-0")`.

    Raises ClusterError.
    """
    try:
        # Read anew: tokens are replaced long before they expire.
        token = (account / "token").read_text().strip()
        request = urllib.request.Request(  # noqa: S310 - the scheme is SERVER's
            server + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": "application/json"},
        )
        context = ssl.create_default_context(cafile=str(account / "ca.crt")) if server.startswith("https") else None
        with urllib.request.urlopen(request, timeout=patience, context=context) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        reason = error.read(2000).decode(errors="replace")
        raise ClusterError(error.code, f"the API server says {error.code} to {method} {path}: {reason}") from error
    except (OSError, ValueError) as error:
        raise ClusterError(0, f"the API server does not answer {method} {path}: {error}") from error


def namespace(account: Path = ACCOUNT) -> str:
    """The namespace of this pod; raises ClusterError outside of one."""
    try:
        return (account / "namespace").read_text().strip()
    except OSError as error:
        raise ClusterError(0, f"this process is in no pod with a ServiceAccount's token: {error}") from error
