"""Publish brief tasks of a peer at a steady rate until it is ended. Usage: pace.py MODULE RATE"""

import importlib
import sys
import time
from collections.abc import Iterator

from work import Kind

module, rate = sys.argv[1], float(sys.argv[2])


def tasks() -> Iterator[Kind]:
    began = time.monotonic()
    number = 0
    while True:
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        yield "brief"
        number += 1


importlib.import_module(f"peers.{module}").publish(tasks())
