"""A lock that the cluster keeps: a Lease of coordination.k8s.io, as client-go's leader election uses it.

Clocks of nodes differ, so nobody believes the times in it: who waits takes the Lease once it has not seen it change for
its duration, by its own clock; who holds it stops believing so earlier than that after the last renewal.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from rowlock.celery.beat_lock.lock import LockError
from rowlock.kubernetes import ClusterError

logger = logging.getLogger(__name__)


class Lease:
    """The Lease `name` in `namespace`, held as `identity`. `call` asks the API server."""

    #: Seconds without a change after which another may take it. Whole, as the API wants it.
    DURATION = 5
    #: Seconds after the beginning of the last renewal for which its holder relies on it.
    RELIANCE = 3.5
    #: Seconds between renewals by its holder, and between looks of who waits.
    RENEWAL = 1.5
    LOOK = 0.9
    #: Seconds that one answer of the API server may take.
    PATIENCE = 1.5

    def __init__(
        self,
        name: str,
        *,
        namespace: str,
        identity: str,
        call: Callable[..., dict[str, Any]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name, self._identity, self._call, self._clock = name, identity, call, clock
        self._seen: dict[str, Any] | None = None
        self._seen_version = ""
        self._changed = 0.0
        self._renewed: float | None = None
        self._looked: float | None = None

    def hold(self) -> bool:
        now = self._clock()
        if self._renewed is not None and now - self._renewed >= self.RELIANCE:
            logger.warning("the Lease %s was not renewed for %.1f s: given up", self._name, now - self._renewed)
            self._renewed = None
        period = self.LOOK if self._renewed is None else self.RENEWAL
        if self._looked is not None and now - self._looked < period:
            return self._renewed is not None
        try:
            is_mine = self._renew(now)
        except ClusterError as error:
            if self._renewed is not None and self._clock() - self._renewed < self.RELIANCE:
                logger.warning("the Lease %s cannot be renewed yet: %s", self._name, error)
                return True
            self._renewed = self._looked = None
            raise LockError(_advice(error, self._name)) from error
        self._looked = now
        self._renewed = now if is_mine else None
        # The answer may have taken longer than it is good for.
        return is_mine and self._clock() - now < self.RELIANCE

    def release(self) -> None:
        if self._renewed is None or self._seen is None:
            return
        self._renewed = self._looked = None
        spec = {**self._seen["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            self._call("PUT", f"{self._collection}/{self._name}", {**self._seen, "spec": spec})
        except ClusterError as error:
            logger.warning("the Lease %s is not given up, it runs out: %s", self._name, error)

    def _renew(self, now: float) -> bool:
        """Take the Lease or renew it; returns whether it is this process's. Raises ClusterError."""
        if self._renewed is not None and self._seen is not None:
            spec = {**self._seen["spec"], "renewTime": _stamp()}
            return self._write("PUT", f"{self._collection}/{self._name}", {**self._seen, "spec": spec}, now)
        try:
            lease = self._call("GET", f"{self._collection}/{self._name}")
        except ClusterError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return self._write("POST", self._collection, self._fresh(), now)
        self._notice(lease, self._clock())
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        is_mine = holder == self._identity
        if holder and not is_mine and now - self._changed < self._duration(spec):
            return False
        stamp = _stamp()
        taken = {**spec, "holderIdentity": self._identity, "leaseDurationSeconds": self.DURATION, "renewTime": stamp}
        if not is_mine:
            taken |= {"acquireTime": stamp, "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1}
        # With the resourceVersion that was read: who was quicker makes this a conflict.
        return self._write("PUT", f"{self._collection}/{self._name}", {**lease, "spec": taken}, now)

    def _write(self, method: str, path: str, lease: dict[str, Any], now: float) -> bool:
        try:
            written = self._call(method, path, lease)
        except ClusterError as error:
            if error.status in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                return False
            raise
        self._notice(written, now)
        return True

    def _notice(self, lease: dict[str, Any], now: float) -> None:
        version = lease["metadata"]["resourceVersion"]
        if self._seen is None or version != self._seen_version:
            self._changed = now
        self._seen, self._seen_version = lease, version

    def _duration(self, spec: dict[str, Any]) -> float:
        # The holder's word: it may be of another release, with another duration.
        return float(spec.get("leaseDurationSeconds") or self.DURATION)

    def _fresh(self) -> dict[str, Any]:
        stamp = _stamp()
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": self.DURATION,
                "acquireTime": stamp,
                "renewTime": stamp,
                "leaseTransitions": 0,
            },
        }


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _advice(error: ClusterError, name: str) -> str:
    if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
        return (
            f"{error}. Beat's ServiceAccount needs a token and a Role that allows to create leases, and to get and "
            f"update the Lease {name} (the chart makes both with beat.lock=lease)."
        )
    return str(error)
