"""Publish brief tasks of a peer at a steady rate until it is ended. Usage: pace.py MODULE RATE MOST

No more than MOST of them are unfinished at a time: a worker that does not keep up on this machine is given fewer. Else
its queue would grow without end, and what waits in it behind them would measure that.
"""

import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from work import Kind

module, rate, most = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])


def tasks() -> Iterator[Kind]:
    finished = Path(os.environ["FINISHED"])
    began, before = time.monotonic(), finished.stat().st_size
    beats = published = 0
    while True:
        beats += 1
        time.sleep(max(0.0, began + beats / rate - time.monotonic()))
        if published - (finished.stat().st_size - before) < most:
            published += 1
            yield "brief"


importlib.import_module(f"peers.{module}").publish(tasks())
