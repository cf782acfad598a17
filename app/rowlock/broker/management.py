"""A small client of RabbitMQ's management HTTP API (https://www.rabbitmq.com/docs/http-api-reference)."""

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

#: Seconds for one answer. The API asks every node of a cluster for its part of it.
TIMEOUT = 10.0
#: Queues in one answer; the API allows no more.
PAGE_SIZE = 500


class ManagementError(Exception):
    """The management API did not do what was asked; the message says why, and never holds a password."""


class Unreachable(ManagementError):  # noqa: N818 - reads as a sentence
    """It did not answer, or not as RabbitMQ does."""


class Forbidden(ManagementError):  # noqa: N818
    """It answered that this user may not: no such user, a wrong password, or a permission or tag is missing."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the management API is, as whom, and for which vhost."""

    url: str
    username: str
    password: str = field(repr=False)
    vhost: str


def address(broker_url: str, management_url: str = "") -> Address:
    """The management API of the broker at `broker_url`; what `management_url` leaves out is as with the broker.

    Raises ValueError, which names no password, on a URL that cannot be used.
    """
    # Several brokers may be named for failover; the first stands for their cluster.
    broker = _split(broker_url.partition(";")[0], ("amqp", "amqps", "pyamqp"), "BROKER_URL")
    given = _split(management_url, ("http", "https"), "RABBITMQ_MANAGEMENT_URL") if management_url else None
    host = broker.hostname or "localhost"
    bare = f"http://{f'[{host}]' if ':' in host else host}:15672"
    if given is not None:
        bare = f"{given.scheme}://{given.netloc.rpartition('@')[2]}{given.path.rstrip('/')}"
    credentials = given if given is not None and given.username else broker
    return Address(
        url=bare,
        username=unquote(credentials.username or "guest"),
        password=unquote(credentials.password or "guest"),
        # kombu takes both `//` and no path for the vhost `/`.
        vhost=unquote(broker.path[1:]) or "/",
    )


class Management:
    """Asks and tells the management API, one request after the other."""

    def __init__(self, address: Address, *, timeout: float = TIMEOUT) -> None:
        self.address = address
        self._timeout = timeout
        token = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
        self._headers = {"authorization": f"Basic {token}", "content-type": "application/json"}
        # A proxy of the environment is for the way out of the cluster.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, *path: str, **parameters: str | int) -> Any:
        """What is at `path`; None where nothing is. Raises ManagementErrors, as all methods do."""
        return self._call("GET", path, parameters=parameters)

    def put(self, *path: str, body: Any) -> None:
        """Make `path`, or change it."""
        self._call("PUT", path, body=body)

    def post(self, *path: str, body: Any) -> Any:
        """Do what `path` is for; returns its answer."""
        return self._call("POST", path, body=body)

    def delete(self, *path: str) -> None:
        """Have nothing at `path`."""
        self._call("DELETE", path)

    def queues(self, pattern: str, columns: str) -> list[dict[str, Any]]:
        """The queues of the vhost whose whole name matches `pattern`, with the given columns and those with a dot."""
        found: list[dict[str, Any]] = []
        page = pages = 1
        while page <= pages:
            answer = self.get(
                "queues",
                self.address.vhost,
                page=page,
                page_size=PAGE_SIZE,
                name=f"^(?:{pattern})$",
                use_regex="true",
                columns=columns,
            )
            if not isinstance(answer, dict) or "items" not in answer:
                raise Unreachable(f"{self.address.url} has no queues of the vhost {self.address.vhost!r} to tell")
            found += answer["items"]
            page, pages = page + 1, int(answer.get("page_count", 1))
        return found

    def _call(
        self, method: str, path: tuple[str, ...], *, body: Any = None, parameters: dict[str, str | int] | None = None
    ) -> Any:
        where = "/".join(["/api", *(quote(part, safe="") for part in path)])
        query = f"?{urlencode(parameters)}" if parameters else ""
        request = urllib.request.Request(  # noqa: S310 - its scheme was checked
            f"{self.address.url}{where}{query}",
            method=method,
            headers=self._headers,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                text = response.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(method, where, error)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(f"{self.address.url} does not answer: {reason}") from error

    def _refused(self, method: str, where: str, error: urllib.error.HTTPError) -> None:
        if error.code == HTTPStatus.NOT_FOUND and method in ("GET", "DELETE"):
            return
        said = f"{self.address.url} answers {method} {where} with {error.code}: {_reason(error)}"
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise Forbidden(f"{said} (user {self.address.username!r})") from error
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(said) from error
        raise ManagementError(said) from error


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        told = json.loads(error.read())
        return str(told.get("reason") or told.get("error") or error.reason)
    except (OSError, ValueError, AttributeError):
        return str(error.reason)


def _split(url: str, schemes: tuple[str, ...], variable: str) -> Any:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError on a port that is not a number
    except ValueError as error:
        raise ValueError(f"{variable} is not a URL: {error}.") from None
    if parts.scheme not in schemes or not parts.hostname:
        example = "amqp://user:password@host:5672/vhost" if "amqp" in schemes else "http://user:password@host:15672"
        raise ValueError(f"{variable} must be a URL like {example}; its scheme is {parts.scheme!r}.")
    return parts
