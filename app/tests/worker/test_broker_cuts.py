"""A worker whose broker is taken away in every way there is, and given back: nothing is lost, nothing done twice."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import DjangoDbBlocker

from example.models import Counter
from rowlock import runs
from rowlock.models import Run, State
from tests.processes import Running, running_worker, wait_until
from tests.proxy import Proxy, proxied
from tests.worker.rabbitmq import RabbitMQ, docker_works, rabbitmq
from tests.worker.submitting import becomes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]

QUEUE = "cuts"
#: Seconds within which a worker knows that its broker is gone: two of its heartbeats and a half, on a busy machine.
NOTICED = 45
#: Seconds for which a broker is away once the worker has noticed.
AWAY = 6


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One way to take the broker away, and to give it back."""

    make: Callable[[RabbitMQ, Proxy], object]
    mend: Callable[[RabbitMQ, Proxy], object]


CUTS = {
    "stopped": Cut(make=lambda broker, _: broker.docker("stop"), mend=lambda broker, _: broker.docker("start")),
    "paused": Cut(make=lambda broker, _: broker.docker("pause"), mend=lambda broker, _: broker.docker("unpause")),
    "node restarted": Cut(
        make=lambda broker, _: broker.control("stop_app"), mend=lambda broker, _: broker.control("start_app")
    ),
    "network cut": Cut(make=lambda _, network: network.cut(), mend=lambda _, network: network.mend()),
    "network silent": Cut(make=lambda _, network: network.fall_silent(), mend=lambda _, network: network.mend()),
}


#: All of them for Celery's one main loop, two for the other.
CASES = [*(("prefork", kind) for kind in CUTS), ("gevent", "stopped"), ("gevent", "network silent")]


@dataclass(frozen=True, kw_only=True)
class Setting:
    broker: RabbitMQ
    network: Proxy
    worker: Running

    def log(self) -> str:
        return self.worker.log.read_text()


@pytest.fixture(scope="module")
def broker() -> Iterator[RabbitMQ]:
    if not docker_works():
        pytest.skip("needs Docker for a RabbitMQ of its own")
    with rabbitmq() as broker:
        yield broker


@pytest.fixture(scope="module")
def setting(
    request: pytest.FixtureRequest,
    broker: RabbitMQ,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Setting]:
    """One worker of the pool, which lives through all the cuts."""
    log: Path = tmp_path_factory.mktemp("cuts") / "log"
    arguments = ("--queues", QUEUE, "--pool", request.param, "--concurrency", "2")
    with (
        django_db_blocker.unblock(),
        proxied(broker.url) as (network, url),
        running_worker(log, *arguments, app="tests.worker.impatient:app", BROKER_URL=url) as worker,
    ):
        yield Setting(broker=broker, network=network, worker=worker)


@pytest.mark.parametrize(("setting", "kind"), CASES, indirect=["setting"])
def test_a_worker_lives_through_a_cut_and_consumes_after_it(kind: str, setting: Setting) -> None:
    done, running = _counted(10), _counting(seconds=4)

    CUTS[kind].make(setting.broker, setting.network)
    _stays_alive_until("it is not ready", setting.worker, ready=False, seconds=NOTICED)
    waiting = [_submitted() for _ in range(10)]
    _stays_alive_for(AWAY, setting.worker)
    CUTS[kind].mend(setting.broker, setting.network)
    _stays_alive_until("it is ready again", setting.worker, ready=True, seconds=60)

    for run in (running, *waiting, _submitted()):
        becomes(run, State.SUCCEEDED, seconds=90)
    _were_counted_once(setting, done)


@pytest.mark.parametrize("setting", ["prefork"], indirect=True)
def test_a_worker_whose_connection_is_killed_has_another_at_once(setting: Setting) -> None:
    done, running = _counted(10), _counting(seconds=4)
    before = setting.log().count("Connected to ")

    wait_until("the server knows its connections", setting.broker.end_connections)
    wait_until("it has connected again", lambda: setting.log().count("Connected to ") > before)
    _stays_alive_until("it is ready again", setting.worker, ready=True, seconds=60)

    for run in (running, *(_submitted() for _ in range(10))):
        becomes(run, State.SUCCEEDED, seconds=90)
    _were_counted_once(setting, done)


def _submitted(*, seconds: float = 0) -> Run:
    """A run that is accepted; the worker's own relay publishes it."""
    return runs.submit("example.tasks.basic.count", [uuid4().hex], {"seconds": seconds}, queue=QUEUE)


def _counted(number: int) -> list[Run]:
    return [becomes(run, State.SUCCEEDED) for run in [_submitted() for _ in range(number)]]


def _counting(*, seconds: float) -> Run:
    return becomes(_submitted(seconds=seconds), State.STARTED)


def _were_counted_once(setting: Setting, done: list[Run]) -> None:
    assert not Counter.objects.filter(count__gt=1).exists(), "a run took effect twice"
    log = setting.log()
    again = [run for run in done if log.count(f"counted {run.args[0]}") != 1]
    assert not again, f"finished runs that were executed again: {again}\n{log}"


def _stays_alive_until(what: str, worker: Running, *, ready: bool, seconds: float) -> None:
    wait_until(what, lambda: _is_ready_and_alive(worker) == ready, seconds=seconds)


def _stays_alive_for(seconds: float, worker: Running) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert not _is_ready_and_alive(worker), f"ready without a broker:\n{worker.log.read_text()}"
        time.sleep(0.5)


def _is_ready_and_alive(worker: Running) -> bool:
    assert worker.probe("/livez") == 200, f"not alive:\n{worker.log.read_text()}"
    return worker.probe("/readyz") == 200
