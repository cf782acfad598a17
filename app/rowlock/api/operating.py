"""What operations on queues, workers and the audit log share."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from kombu.exceptions import OperationalError

from rowlock.api.authentication import require, viewer_in
from rowlock.api.problems import ProblemError
from rowlock.runs.viewer import Viewer

#: Seconds after which it is worth asking again while the broker is down.
RETRY_AFTER = 5


def operator_in(request: HttpRequest, what: str) -> Viewer:
    """Raises a problem unless whoever asks may operate."""
    viewer = viewer_in(request)
    require(viewer.may_operate, "rowlock.operate_run", what)
    return viewer


def seer_in(request: HttpRequest, what: str) -> Viewer:
    """Raises a problem unless whoever asks may see everybody's runs."""
    viewer = viewer_in(request)
    require(viewer.sees_all, "rowlock.view_run", what)
    return viewer


class NeedsBroker:
    """Around what talks to the broker: raises a problem where that does not answer."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, OperationalError | OSError):
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The broker does not answer: {error}",
                kind="no-broker",
                headers={"Retry-After": str(RETRY_AFTER)},
            ) from error
