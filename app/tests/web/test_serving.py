"""The web process as it runs in a pod: gunicorn, with health on a port of its own."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoDbBlocker

from rowlock.models import ApiToken, Run, State
from rowlock.models.token import hash_of, new_secret
from tests.processes import Running, free_port, running, running_worker, wait_until
from tests.scraping import scrape, value

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "example.tasks.basic.add"


@dataclass(frozen=True, kw_only=True)
class Web:
    process: Running
    port: int

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, **headers: str
    ) -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            chunked = "Transfer-Encoding" in headers
            connection.request(method, path, body=body, headers=headers, encode_chunked=chunked)
            response = connection.getresponse()
            return response.status, response.read()


@contextmanager
def serving(log: Path, **variables: str) -> Iterator[Web]:
    port, health = free_port(), free_port()
    command = ["gunicorn", "example.asgi:application", "--worker-class", "asgi", "--workers", "1"]
    command += ["--bind", f"127.0.0.1:{port}", "--bind", f"127.0.0.1:{health}", "--no-control-socket"]
    with running(command, log, **{**variables, "ROWLOCK_PORT": str(health)}) as process:
        served = Running(process=process.process, port=health, log=log)
        wait_until(f"web is ready, see {log}", lambda: served.probe("/readyz") == 200)
        yield Web(process=served, port=port)


@pytest.fixture(scope="module")
def web(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    log = tmp_path_factory.mktemp("web") / "log"
    with django_db_blocker.unblock(), serving(log, UPLOAD_LIMIT_MB="1") as web:
        yield web


@pytest.mark.parametrize("path", ["/startupz", "/readyz", "/livez", "/metrics"])
def test_the_health_port_answers(web: Web, path: str) -> None:
    assert web.process.probe(path) == 200


def test_requests_are_counted_by_view_and_told_on_the_health_port_alone(web: Web) -> None:
    assert web.request("GET", "/")[0] == 200
    web.request("BREW", "/")

    samples = scrape(web.process.port)

    assert value(samples, "django_http_responses_total_by_status_view_method_total", view="home", status="200") >= 1
    methods = {sample.labels["method"] for sample in samples if "method" in sample.labels}
    assert "BREW" not in methods, "clients can make series by inventing methods"
    assert web.request("GET", "/metrics")[0] == 404


def test_the_health_port_serves_no_pages(web: Web) -> None:
    assert web.process.probe("/admin/") == 404


def test_pages_serve_no_metrics(web: Web) -> None:
    status, _ = web.request("GET", "/metrics")

    assert status == 404


def test_a_host_header_does_not_lead_to_the_health_port(web: Web) -> None:
    status, _ = web.request("GET", "/metrics", Host=f"127.0.0.1:{web.process.port}")

    assert status == 404


def test_a_body_that_says_it_is_too_large_is_refused(web: Web) -> None:
    status, body = web.request("POST", "/start_task/", bytes(3 * 1024**2), **{"Content-Type": "application/json"})

    assert (status, json.loads(body)["title"]) == (413, "Content Too Large")


def test_a_body_that_turns_out_too_large_is_refused(web: Web) -> None:
    pieces = (bytes(64 * 1024) for _ in range(64))

    status, _ = web.request("POST", "/files/", pieces, **{"Transfer-Encoding": "chunked"})

    assert status == 413


def test_a_task_is_accepted(web: Web) -> None:
    status, body = web.request("POST", "/start_task/")

    assert status == 202, body
    assert set(json.loads(body)) == {"task_id"}


def test_a_task_that_was_accepted_without_a_broker_runs_when_it_is_back(
    tmp_path: Path,
) -> None:
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    with serving(tmp_path / "web", BROKER_URL=nobody) as web:
        status, body = web.request("POST", "/start_task/")
        assert status == 202, body
        task_id = json.loads(body)["task_id"]
        _, pending = web.request("GET", f"/get_result/{task_id}/")
    assert json.loads(pending)["status"] == "PENDING", pending

    with running_worker(tmp_path / "worker", "--queues", "celery", "--pool", "solo"):
        wait_until("the run has ended", lambda: Run.objects.filter(id=task_id, state=State.SUCCEEDED).exists())


@pytest.fixture
def token() -> str:
    """The token of somebody who may submit tasks over HTTP."""
    secret = new_secret()
    user = User.objects.create_superuser(f"submitter-{uuid4().hex[:8]}")
    ApiToken.objects.create(user=user, name="test", hash=hash_of(secret))
    return secret


def submit(web: Web, token: str, body: object, path: str = "/api/runs/") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    status, answer = web.request("POST", path, json.dumps(body).encode(), **headers)
    return status, json.loads(answer)


@pytest.mark.parametrize("path", ["/api/runs/", "/api/runs"])
def test_a_run_is_there_when_its_submission_is_answered(web: Web, token: str, path: str) -> None:
    status, answer = submit(web, token, {"task": ADD, "args": [2, 3]}, path)

    assert status == 202, answer
    assert Run.objects.get(id=answer["id"]).args == [2, 3]


def test_submissions_at_the_same_time_get_each_its_own_answer(web: Web, token: str) -> None:
    bodies: list[dict[str, object]] = [{"task": ADD, "args": [n, n]} for n in range(40)]
    bodies[7]["task"] = "no.such.task"
    bodies[9]["args"] = "no list"
    bodies[11]["key"] = bodies[13]["key"] = "twice"
    bodies[13]["args"] = [11, 11]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda body: submit(web, token, body), bodies))

    statuses = [status for status, _ in answers]
    assert (statuses[7], statuses[9]) == (422, 422), answers
    assert sorted([statuses[11], statuses[13]]) == [200, 202], answers
    assert answers[11][1]["id"] == answers[13][1]["id"]
    accepted = {answer["id"]: n for n, (status, answer) in enumerate(answers) if status == 202 and n not in {11, 13}}
    assert len(accepted) == 36, statuses
    stored = {str(run.id): run.args for run in Run.objects.filter(id__in=accepted)}
    assert stored == {run: [n, n] for run, n in accepted.items()}


def test_submissions_are_counted_by_view(web: Web, token: str) -> None:
    submit(web, token, {"task": ADD, "args": [2, 3]})

    samples = scrape(web.process.port)

    view = "rowlock-api:submit_run"
    assert value(samples, "django_http_responses_total_by_status_view_method_total", view=view, status="202") >= 1


@pytest.fixture(scope="module")
def web_without_redis(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    log = tmp_path_factory.mktemp("web") / "log"
    with django_db_blocker.unblock(), serving(log, REDIS_URL=nobody, SECRET_KEY=settings.SECRET_KEY) as web:
        yield web


@pytest.mark.usefixtures("real_services")
def test_without_redis_a_task_of_somebody_logged_in_is_accepted(web_without_redis: Web, client: Client) -> None:
    client.force_login(User.objects.create_user("ann"))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())

    status, body = web_without_redis.request("POST", "/start_task/", Cookie=cookie)

    assert status == 202, body
    assert Run.objects.get(id=json.loads(body)["task_id"]).owner == "ann"


@pytest.mark.usefixtures("real_services")
def test_without_redis_a_run_is_shown(web_without_redis: Web) -> None:
    run = Run.objects.create(task="example.tasks.basic.add", queue="celery", state=State.SUCCEEDED, result="5")

    status, body = web_without_redis.request("GET", f"/get_result/{run.id}/")

    assert (status, json.loads(body)["result"]) == (200, 5)


@pytest.mark.usefixtures("real_services")
def test_without_redis_the_answer_on_an_unknown_task_is_to_try_again(web_without_redis: Web) -> None:
    status, body = web_without_redis.request("GET", f"/get_result/{uuid4()}/")

    assert status == 503, body
