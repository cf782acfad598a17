"""The collector's main loop, and what it tells of its health."""

import logging
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

from rowlock.broker.management import Forbidden, Management, ManagementError
from rowlock.collector import certificate
from rowlock.collector.configuration import Configuration
from rowlock.collector.database import Database, DatabaseUnavailable
from rowlock.collector.dead import deaths
from rowlock.collector.failing import Reason, reason_of
from rowlock.collector.policies import PolicyKeeper
from rowlock.collector.refreshing import Refreshed
from rowlock.collector.services import State
from rowlock.collector.snapshot import Snapshot, Watch
from rowlock.health.report import Report

logger = logging.getLogger(__name__)

#: Seconds between looks; RabbitMQ's own numbers are up to five seconds old.
INTERVAL = 5.0
POLICY_INTERVAL = 60.0
#: Seconds after which a loop that does not turn counts as dead: a turn may wait for a few answers.
LOOP_CEILING = 180.0


class Loop:
    """Looks at the queues every few seconds until `stop`, and keeps the policies."""

    def __init__(self, configuration: Configuration) -> None:
        self._management = management = Management(configuration.address)
        self._database: Database | None = None
        self._dead = 0
        self._where = configuration.address.url
        self._secured = _secured(configuration)
        self._certificates: Refreshed[float | None] = Refreshed()
        self._certificate_expires: float | None = None
        self._reason: Reason | None = None
        self._watch = Watch(management, configuration.pools)
        self._keeper = PolicyKeeper(management, configuration) if configuration.keeps_policies else None
        self._ending = threading.Event()
        self._turned = time.monotonic()
        self._began = False
        self._policies_due = 0.0
        self.problem = "not asked yet"
        self.snapshot: Snapshot | None = None

    def run(self, database: Database | None = None) -> None:
        """Turn until `stop`, with the database of rowlock's runs where there is one."""
        self._database = database
        if database is not None:
            self._watch.elsewhere = database.oldest_published
        while not self._ending.is_set():
            started = time.monotonic()
            self._turn(started)
            self._turned, self._began = time.monotonic(), True
            self._ending.wait(max(0.5, INTERVAL - (self._turned - started)))

    def stop(self) -> None:
        """Have `run` return; may be called by a signal handler."""
        self._ending.set()

    def answers(self) -> bool:
        """Did the broker answer last?"""
        return not self.problem

    def state(self) -> State:
        """What is told of RabbitMQ as of any other service."""
        return State(
            is_up=self.answers() if self._began else None,
            reason=self._reason,
            certificate_expires=self._certificate_expires,
        )

    def report(self) -> Report:
        """Ready means that the broker's answer is known; alive that the loop turns, whatever the broker does."""
        silent = time.monotonic() - self._turned
        alive = silent < LOOP_CEILING
        detail = self.problem or f"looked {silent:.0f} s ago"
        return Report(started=self._began, ready=alive and not self.problem, alive=alive, detail=detail)

    def _turn(self, now: float) -> None:
        try:
            self.snapshot = self._watch.look()
            self._certificate_expires = self._certificates.get(lambda: _first_to_expire(self._secured))
            self._look_at_the_dead(self.snapshot.dead)
            if self._keeper is not None and now >= self._policies_due:
                if self._keeper.keep():
                    self._keeper.warn_of_others(self.snapshot)
                self._policies_due = now + POLICY_INTERVAL
        except ManagementError as error:
            # Once it is back it may be another one, with other queues and no policies.
            self._policies_due = 0.0
            self._tell(str(error), reason_of(error))
        except Exception as error:
            logger.exception("the broker cannot be watched")
            self._tell(f"{type(error).__name__}: {error}", reason_of(error))
        else:
            self._tell("")

    def _look_at_the_dead(self, dead: int) -> None:
        if self._database is not None and dead > self._dead:
            try:
                self._database.fail(deaths(self._management))
            except (DatabaseUnavailable, Forbidden) as error:
                logger.warning("nobody is told of runs whose message is in rowlock.dead: %s", error)
                return
        self._dead = dead

    def _tell(self, problem: str, reason: Reason | None = None) -> None:
        if problem and problem != self.problem:
            logger.warning("%s", problem)
        elif not problem and self.problem:
            logger.info("watching the queues at %s", self._where)
        self.problem, self._reason = problem, reason


def _secured(configuration: Configuration) -> list[tuple[str, int]]:
    """Where RabbitMQ shows a certificate."""
    management = urlsplit(configuration.address.url)
    found = [configuration.amqps] if configuration.amqps else []
    if management.scheme == "https" and management.hostname:
        found.append((management.hostname, management.port or 443))
    return found


def _first_to_expire(servers: list[tuple[str, int]]) -> float | None:
    times = []
    for host, port in servers:
        with suppress(OSError, ValueError):
            times.append(certificate.expires(host, port))
    return min(times, default=None)
