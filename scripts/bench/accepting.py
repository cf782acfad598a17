"""Accept COUNT tasks in the way HOW, and print how many a second. Usage: accepting.py COUNT HOW

The benchmark's process does nothing else; what relays in the background is part of the cost.
"""

import os
import sys
import time

COUNT, HOW = int(sys.argv[1]), sys.argv[2]
os.environ["VARIANT"] = "redis results" if HOW == "delay()" else "rowlock, history and redis results"

from project import nothing  # noqa: E402 - reads VARIANT

from rowlock import runs  # noqa: E402 - needs Django, which project sets up

BATCH = 1000


def accept(count: int) -> None:
    if HOW == "submit_many()":
        for _ in range(0, count, BATCH):
            runs.submit_many([runs.Submission(task=nothing) for _ in range(BATCH)])
    elif HOW == "submit()":
        for _ in range(count):
            runs.submit(nothing)
    else:
        for _ in range(count):
            nothing.delay()


accept(BATCH)
began = time.perf_counter()
accept(COUNT)
print(COUNT / (time.perf_counter() - began))
