"""How fast a peer is, from a few tasks."""

import time

from cases import Bench
from filled import fill, variables_of, worker_of
from forgetting import forget
from peers import Peer
from processes import until

#: No-op tasks by which a peer's pace is learned, and seconds for which they are watched.
LEARNED, LEARNING = 3000, 3.0
#: Seconds between two looks.
PAUSE = 0.02


def learn(bench: Bench, peer: Peer, part: str) -> float:
    """No-op tasks that a peer does in a second, from a few of them; those that it does not get to are thrown away."""
    filled = fill(bench, peer, "nothing", LEARNED, part)
    try:
        with worker_of(bench, peer, part) as worker:
            looks = [(time.monotonic(), filled.wait(worker, 1).ended)]

            def has_seen() -> bool:
                looks.append((time.monotonic(), filled.ended()))
                return looks[-1][1] >= LEARNED or looks[-1][0] - looks[0][0] > LEARNING

            until(has_seen, worker, f"{LEARNED} tasks", pause=PAUSE)
    finally:
        forget(variables_of(bench, peer, part)["QUEUE"])
    # The later half: a worker is slower while it starts.
    last = looks[-1]
    half = next(look for look in looks if look[0] >= (looks[0][0] + last[0]) / 2)
    return max(1.0, (last[1] - half[1]) / max(PAUSE, last[0] - half[0]))
