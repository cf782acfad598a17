"""A real Prometheus, by its operator: it scrapes every process, every panel has data, and alerts come and go.

The tests are steps on one release, and each starts where the one before it ended.
"""

import threading
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from cluster.harness.addons import install_prometheus_operator
from cluster.harness.cluster import Cluster, Namespace
from cluster.harness.dashboards import Question, questions
from cluster.harness.prometheus import INTERVAL, Prometheus, prometheus_of
from cluster.harness.release import Release
from cluster.harness.shell import eventually
from cluster.harness.web import web_of

MONITORING = "monitoring"
#: As of the chart, only sooner.
SOON = {"for": "5s"}
ALERTS = {
    "waiting": "RowlockWaitFarOverGoal",
    "failures": "RowlockFailuresFarOverGoal",
    "consumers": "RowlockNoConsumers",
    "outbox": "RowlockOutboxNotDraining",
    "rabbitmq": "RowlockRabbitMQDown",
    "beat": "RowlockBeatNotTicking",
    "dead": "RowlockDeadLetters",
}
SETTINGS = {
    "networkPolicy.metrics.from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING}}}],
    "metrics.podMonitor.enabled": True,
    "metrics.podMonitor.interval": INTERVAL,
    "metrics.serviceMonitor.enabled": True,
    "metrics.serviceMonitor.interval": INTERVAL,
    "metrics.dashboards.enabled": True,
    "metrics.rules.enabled": True,
    "metrics.rules.alerts": dict.fromkeys(ALERTS.values(), SOON),
    "metrics.rules.thresholds.outboxSeconds": 5,
    # Far over the goal is 14.4 times what it allows, here 43 %: the load stays below, and trouble soon is above.
    "workerDefaults.goals": {"waitSeconds": 10, "waitShare": 0.97, "failureShare": 0.03},
}
SCRAPED = ("web", "worker", "beat", "collector", "rabbitmq")

# A task of each kind that ends in its own way.
LOAD: tuple[tuple[str, list[Any]], ...] = (
    ("basic.add", [1, 2]),
    ("basic.add", ["one", 2]),
    ("basic.flaky", [1]),
    ("basic.wait", [1]),
    ("model.train", [2]),
)
SUBMIT = """
import time
from rowlock import runs
from rowlock.models import Run, UNFINISHED
from rowlock.runs import Submission
def all_have_ended():
    while Run.objects.filter(queue__in=["celery", "model"], state__in=UNFINISHED).exists():
        time.sleep(0.2)
def many(task, args, queue, count):
    runs.submit_many([Submission(task=f"example.tasks.basic.{task}", args=args, queue=queue) for _ in range(count)])
"""


@pytest.fixture(scope="module")
def own(cluster: Cluster, namespace: Namespace) -> Release:
    install_prometheus_operator(cluster)
    release = Release(namespace=namespace)
    release.install(SETTINGS)
    return release


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster, own: Release) -> Iterator[Prometheus]:
    monitoring = cluster.fresh_namespace(MONITORING)
    with prometheus_of(monitoring, own.namespace) as prometheus:
        yield prometheus
    monitoring.delete()


@pytest.fixture
def load(own: Release) -> Iterator[None]:
    """Tasks of every kind, one after the other, until the test is over."""
    ended = threading.Event()
    with web_of(own) as web:

        def submit() -> None:
            for task, args in cycle(LOAD):
                if ended.wait(1):
                    return
                web.look(web.start(f"example.tasks.{task}", *args))

        thread = threading.Thread(target=submit)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def test_every_process_is_scraped(own: Release, prometheus: Prometheus) -> None:
    pods = {pod["metadata"]["name"] for component in SCRAPED for pod in own.pods(component)}

    def all_are_known() -> dict[str, str]:
        found = prometheus.targets()
        return found if pods <= {name.rpartition(" ")[2] for name in found} and "unknown" not in str(found) else {}

    targets = eventually(all_are_known, within=60, what=f"targets of {sorted(pods)}")

    assert len(targets) == len(pods), f"something is scraped twice: {sorted(targets)}"
    assert set(targets.values()) == {"up"}, targets


def test_the_rules_are_loaded_and_healthy(own: Release, prometheus: Prometheus) -> None:
    names = own.namespace.kubectl("get", "prometheusrule", own.fullname, "--output", "jsonpath={..alert} {..record}")

    def all_are_evaluated() -> bool:
        return {rule["health"] for rule in prometheus.rules()} == {"ok"}

    eventually(all_are_evaluated, within=60, what="rules that are evaluated without an error")
    assert sorted(rule["name"] for rule in prometheus.rules()) == sorted(names.split())


@pytest.mark.usefixtures("load")
def test_every_panel_has_data_on_a_healthy_system(own: Release, prometheus: Prometheus) -> None:
    silent = questions(own.namespace.name)

    def all_answer() -> bool:
        silent[:] = [question for question in silent if not prometheus.has_data(question.expr)]
        return not silent

    try:
        eventually(all_answer, within=150, what="data in every panel", every=5)
    except AssertionError:
        pytest.fail("no data on a healthy system:\n" + "\n".join(map(_text, silent)), pytrace=False)
    assert prometheus.firing() == set(), "an alert fires on a healthy system"


def test_waiting_and_failing_beyond_the_goals_is_told_until_it_is_over(own: Release, prometheus: Prometheus) -> None:
    waiting = "many('wait', [1], 'model', 60)"
    failing = "many('add', ['one', 2], 'celery', 150)"
    own.python(f"{SUBMIT}\n{waiting}\n{failing}")

    _fire(prometheus, "waiting", "failures", within=120)

    def doing_well_until_it_is_over() -> bool:
        # What did not shrinks to a small share; and what is submitted behind it would wait, too.
        well = "for queue in ('model', 'celery'): many('add', [1, 2], queue, 60)"
        own.python(f"{SUBMIT}\nall_have_ended()\n{well}\nall_have_ended()")
        return not {ALERTS["waiting"], ALERTS["failures"]} & prometheus.firing()

    eventually(doing_well_until_it_is_over, within=240, what="calm after trouble")


def test_a_queue_without_consumers_a_beat_that_is_gone_and_dead_letters_are_told(
    own: Release, prometheus: Prometheus
) -> None:
    for component in ("worker-heavy", "beat"):
        _scale(own, "deployment", component, 0)
    own.python(
        f"{SUBMIT}\nmany('add', [1, 2], 'model', 1)\n"
        "from example.celery import app\napp.send_task('no.such.task', queue='celery')"
    )

    _fire(prometheus, "consumers", "beat", "dead", within=120)

    for component in ("worker-heavy", "beat"):
        _scale(own, "deployment", component, 1)
    own.namespace.execute(
        "statefulset/rowlock-rabbitmq", "rabbitmqctl", "purge_queue", "--vhost", "rowlock", "rowlock.dead"
    )
    _clear(prometheus, "consumers", "beat", "dead", within=150)


def test_an_outbox_that_does_not_drain_is_told_until_rabbitmq_is_back(own: Release, prometheus: Prometheus) -> None:
    _scale(own, "statefulset", "rabbitmq", 0)
    own.python(f"{SUBMIT}\nmany('add', [1, 2], 'celery', 3)")

    _fire(prometheus, "outbox", "rabbitmq", within=120)

    _scale(own, "statefulset", "rabbitmq", 1)
    _clear(prometheus, "outbox", "rabbitmq", within=150)


def _scale(own: Release, kind: str, component: str, replicas: int) -> None:
    own.namespace.kubectl("scale", kind, f"{own.fullname}-{component}", f"--replicas={replicas}")


def _fire(prometheus: Prometheus, *troubles: str, within: float) -> None:
    wanted = {ALERTS[trouble] for trouble in troubles}
    told: set[str] = set()

    def all_fire() -> bool:
        told.update(prometheus.firing())
        return wanted <= told

    try:
        eventually(all_fire, within=within, what="alerts", every=1)
    except AssertionError:
        pytest.fail(f"not within {within:.0f} s: {sorted(wanted - told)} fire; others: {sorted(told)}", pytrace=False)


def _clear(prometheus: Prometheus, *troubles: str, within: float) -> None:
    gone = {ALERTS[trouble] for trouble in troubles}
    eventually(
        lambda: not gone & prometheus.firing(), within=within, what=f"none of {sorted(gone)} fires any more", every=1
    )


def _text(question: Question) -> str:
    return f"- {question.where}: {question.expr}"
