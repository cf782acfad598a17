"""Fill the queue of a peer from two processes: for many of them it takes more to publish a task than to execute it.

Usage: publish.py MODULE TASK=COUNT … ; those of one kind are all published before the next.
"""

import importlib
import multiprocessing
import sys
from collections.abc import Iterator

PUBLISHERS = 2
#: Seconds for which one of them waits for the other.
PATIENCE = 600.0

# Imported once for all of them: none has a connection yet.
_fork = multiprocessing.get_context("fork")
_is_ready = _fork.Event()
_all_did = _fork.Barrier(PUBLISHERS)


def publish(name: str, counts: dict[str, int], number: int) -> None:
    module = importlib.import_module(f"peers.{name}")
    # The first makes what all need, such as tables, and a queue: what is published while that is bound may be lost.
    if number:
        _is_ready.wait(PATIENCE)
    module.publish(share(counts, number))


def share(counts: dict[str, int], number: int) -> Iterator[str]:
    """The tasks of one of the publishers; the first has the larger half."""
    for kind, count in counts.items():
        for _ in range((count + PUBLISHERS - 1 - number) // PUBLISHERS):
            yield kind
            _is_ready.set()
        _all_did.wait(PATIENCE)


def main() -> None:
    name, *wanted = sys.argv[1:]
    importlib.import_module(f"peers.{name}")
    counts = {kind: int(count) for kind, _, count in (one.partition("=") for one in wanted)}
    publishers = [_fork.Process(target=publish, args=(name, counts, number)) for number in range(PUBLISHERS)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    if any(publisher.exitcode for publisher in publishers):
        sys.exit(f"not all tasks of {name} were published")


if __name__ == "__main__":
    main()
