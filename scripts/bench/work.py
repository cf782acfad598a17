"""What the tasks of every peer do, alike for all, so that only the frameworks around them differ.

At its end each task appends a byte to the file FINISHED: its size says how many have ended, in whatever order, process
or thread, for one system call of a microsecond or so.
"""

import os
import time
from typing import Literal

#: Seconds that a brief task sleeps.
BRIEF = 0.01

Kind = Literal["nothing", "brief"]

# Opened at import, so that a child that is forked for each task has it too.
_finished = os.open(os.environ.get("FINISHED", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def finished() -> None:
    os.write(_finished, b".")


def nothing() -> None:
    """As little as a task can do."""
    finished()


def brief() -> None:
    """Wait as for a database or a service."""
    time.sleep(BRIEF)
    finished()


def moment() -> float:
    """When it was started."""
    return time.time()
