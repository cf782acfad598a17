"""`python -m rowlock.collector`: see docs/rabbitmq.md for what it needs."""

import logging
import os
import signal
import sys
from collections.abc import Mapping

from prometheus_client import REGISTRY

from rowlock.collector import configuration, database, postgres, redis_server, statistics
from rowlock.collector.cluster import ClusterWatch
from rowlock.collector.configuration import Configuration
from rowlock.collector.database import Database
from rowlock.collector.exposition import BrokerCollector
from rowlock.collector.loop import Loop
from rowlock.collector.parts import ClusterCollector, PausedCollector, PoolCollector
from rowlock.collector.services import ServicesCollector
from rowlock.collector.watching import Watcher
from rowlock.conf import ConfigurationError, health_address, settings
from rowlock.health.server import serve
from rowlock.metrics import container


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
    container.register()
    serve(address, loop.report)
    found = database.set_up()
    watch(chosen, loop, found)
    loop.run(found)
    return 0


def watch(chosen: Configuration, loop: Loop, found: Database | None) -> None:
    """Serve what the services, the cluster and the database tell, each asked from a thread of its own."""
    ask_postgres = postgres.watched() if found else None
    ask_redis = redis_server.watched(redis_url(os.environ, found))
    REGISTRY.register(
        ServicesCollector(
            broker=loop.state,
            postgres=Watcher("postgresql", ask_postgres).start() if ask_postgres else None,
            redis=Watcher("redis", ask_redis).start() if ask_redis else None,
        )
    )
    REGISTRY.register(PoolCollector(chosen.pods_max))
    if chosen.release:
        look = ClusterWatch(chosen.release, chosen.namespace).look
        REGISTRY.register(ClusterCollector(Watcher("kubernetes", look).start()))
    if found:
        REGISTRY.register(PausedCollector(Watcher("paused queues", found.paused).start(), chosen.pools))
        Watcher("statistics", lambda: statistics.keep(loop.snapshot if loop.answers() else None)).start()


def redis_url(variables: Mapping[str, str], found: Database | None) -> str:
    """The project's Redis, by its environment or its ROWLOCK setting; empty without one."""
    return variables.get("REDIS_URL", "") or (settings().live_redis_url if found else "")


if __name__ == "__main__":
    sys.exit(main())
