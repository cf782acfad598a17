"""`python -m rowlock.collector`: see docs/rabbitmq.md for what it needs."""

import logging
import os
import signal
import sys

from prometheus_client import REGISTRY

from rowlock.collector import configuration, database
from rowlock.collector.exposition import BrokerCollector
from rowlock.collector.loop import Loop
from rowlock.conf import ConfigurationError, health_address
from rowlock.health.server import serve


def main() -> int:
    """Watch until TERM or Ctrl-C; returns the status to exit with."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    try:
        chosen, address = configuration.read(os.environ), health_address()
    except ConfigurationError as error:
        print(f"rowlock.collector: {error}", file=sys.stderr)
        return 2
    loop = Loop(chosen)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())
    REGISTRY.register(BrokerCollector(lambda: loop.snapshot, loop.answers))
    serve(address, loop.report)
    loop.run(database.set_up())
    return 0


if __name__ == "__main__":
    sys.exit(main())
