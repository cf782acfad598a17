"""How long the first message of a queue has waited, for which RabbitMQ's quorum queues have no answer.

Queues are first in, first out: if so many messages have ever come, and so many are ready, then it is known which one is
at the head, and a history of how many had come by when tells when that one came.
"""

from dataclasses import dataclass
from itertools import pairwise

#: Points of history that are kept; beyond that every other one is dropped, the old ones first to be coarse.
MOST_POINTS = 512


@dataclass(frozen=True, kw_only=True)
class Age:
    """Seconds; `exact` to within a few polls, otherwise it is at least so much."""

    seconds: float
    exact: bool


class AgeEstimate:
    """Follows one queue.

    What has come is counted as what is there plus what was acked: RabbitMQ's own count of published messages leaves
    those out that came by dead lettering, which is how Celery's countdowns come.
    """

    def __init__(self) -> None:
        #: (time, messages that had come by then); of a time in which none came only the first and the last.
        self._points: list[tuple[float, int]] = []
        self._base = 0
        self._last_acked = 0

    def observe(self, now: float, *, ready: int, unacked: int, acked: int) -> Age:
        """Take note of what the broker says at `now` (seconds of any clock), and say how long the first has waited."""
        if acked < self._last_acked:
            # The broker counts anew; the messages are the same.
            self._base += self._last_acked - acked
        self._last_acked = acked
        came = self._base + ready + unacked + acked
        if ready == 0:
            # Nothing before matters any more, nor do errors that have crept in.
            self._points = [(now, came)]
            return Age(seconds=0.0, exact=True)
        self._note(now, came)
        return self._age(now, self._points[-1][1] - ready + 1)

    def _note(self, now: float, came: int) -> None:
        points = self._points
        if points:
            came = max(came, points[-1][1])
        if len(points) > 1 and points[-1][1] == points[-2][1] == came:
            points[-1] = (now, came)
        else:
            points.append((now, came))
        if len(points) > MOST_POINTS:
            del points[1 : MOST_POINTS // 2 : 2]

    def _age(self, now: float, head: int) -> Age:
        points = self._points
        if head <= points[0][1]:
            # It was there when watching began, or came back from a worker.
            return Age(seconds=now - points[0][0], exact=False)
        for (before, few), (after, many) in pairwise(points):
            if head <= many:
                part = min(1.0, max(0.0, (head - few) / (many - few))) if many > few else 0.0
                return Age(seconds=max(0.0, now - before - part * (after - before)), exact=True)
        return Age(seconds=0.0, exact=True)
