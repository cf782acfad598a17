"""Migrations and secrets: Jobs named by what they run."""

import re
from typing import Any

import pytest

from render.chart import Manifest, Rendered, Values, render

PASSWORDS = {"auth": {"existingSecret": "passwords"}}


def job(rendered: Rendered, component: str) -> Manifest:
    return rendered.component("Job", component)


def name(component: str, values: Values | None = None) -> str:
    found: str = job(render(values), component)["metadata"]["name"]
    return found


@pytest.mark.parametrize("component", ["migrate", "secrets"])
def test_a_job_is_named_by_a_hash_and_is_no_hook(component: str) -> None:
    found = job(render(), component)

    assert re.fullmatch(rf"rowlock-{component}-[0-9a-f]{{10}}", found["metadata"]["name"])
    assert "annotations" not in found["metadata"]


@pytest.mark.parametrize(
    "change",
    [
        {"image": {"tag": "2.0"}},
        {"image": {"digest": "sha256:" + "1" * 64}},
        {"env": {"TIME_ZONE": "Europe/Vienna"}},
        {"extraEnv": [{"name": "A", "value": "b"}]},
        {"migrations": {"command": ["./migrate"]}},
        # Kubernetes lets no field of a Job's pod change, so these need a new name too.
        {"migrations": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"tmpSize": "3Gi"},
    ],
    ids=str,
)
def test_what_the_migration_runs_changes_its_name(change: Values) -> None:
    assert name("migrate", change) != name("migrate")


@pytest.mark.parametrize(
    "change",
    [
        {"web": {"replicas": 7}},
        {"workers": {"mail": {"queues": ["mail"]}}},
        {"beat": {"enabled": False}},
        {"networkPolicy": {"enabled": False}},
        {"web": {"service": {"type": "NodePort"}}},
    ],
    ids=str,
)
def test_nothing_else_changes_the_name_of_a_job(change: Values) -> None:
    assert name("migrate", change) == name("migrate")
    assert name("secrets", change) == name("secrets")


def test_the_migration_waits_for_the_database_and_then_migrates() -> None:
    pod = render().pod("migrate")

    assert pod.main["command"] == ["python", "manage.py", "migrate", "--noinput"]
    assert "migrate --plan" in pod.spec["initContainers"][0]["command"][2]
    assert pod.spec["restartPolicy"] == "Never"
    assert pod.owner["spec"]["backoffLimit"] == 3


@pytest.mark.parametrize("component", ["web", "beat"])
def test_web_and_beat_wait_for_the_migrations(component: str) -> None:
    wait = render().pod(component).spec["initContainers"][0]

    assert "migrate --check" in wait["command"][2]
    assert wait["command"][3] == "manage.py"


@pytest.mark.parametrize("pool", ["default", "heavy"])
def test_a_worker_waits_for_the_migrations_in_its_own_process(pool: str) -> None:
    pod = render().pod("worker", pool)

    assert pod.env["ROWLOCK_WAIT_FOR_MIGRATIONS"]["value"] == "true"
    assert "initContainers" not in pod.spec


@pytest.mark.parametrize("values", [{"app": {"rowlock": False}}, {"workers": {"default": {"command": ["my-worker"]}}}])
def test_a_worker_that_may_not_know_how_waits_in_a_container(values: Values) -> None:
    pod = render(values).pod("worker", "default")

    assert "ROWLOCK_WAIT_FOR_MIGRATIONS" not in pod.env
    assert "migrate --check" in pod.spec["initContainers"][0]["command"][2]


def test_a_wait_container_has_nothing_of_the_one_it_waits_for() -> None:
    wait = render().pod("web").spec["initContainers"][0]

    assert not {"ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"} & wait.keys()


def test_without_migrations_nobody_waits() -> None:
    rendered = render({"migrations": {"enabled": False}})

    assert not [pod.name for pod in rendered.pods() if pod.spec.get("initContainers")]
    assert not [one for one in rendered.names("Job") if "migrate" in one]


def test_the_generated_secret_has_the_keys_that_are_needed() -> None:
    command = render().pod("secrets").main["command"]

    assert command[command.index("--name") + 1] == "rowlock-generated"
    assert command[-4:] == ["secret-key", "postgresql-password", "rabbitmq-password", "redis-password"]


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ({"secretKey": {"existingSecret": "oars"}}, "secret-key"),
        ({"postgresql": PASSWORDS}, "postgresql-password"),
        ({"rabbitmq": PASSWORDS}, "rabbitmq-password"),
        ({"redis": {"enabled": False}, "externalRedis": {"url": "redis://cache"}}, "redis-password"),
    ],
)
def test_what_exists_is_not_generated(values: Values, gone: str) -> None:
    command = render(values).pod("secrets").main["command"]

    assert gone not in command
    assert "rowlock-generated" in command


def test_when_everything_exists_there_is_no_job_and_no_permission() -> None:
    values: dict[str, Any] = {"secretKey": {"existingSecret": "oars"}}
    values |= dict.fromkeys(("postgresql", "rabbitmq", "redis"), PASSWORDS)

    rendered = render(values)

    assert [found for found in rendered.names("Job") if "secrets" in found] == []
    assert "rowlock-secrets" not in rendered.names("Role") | rendered.names("RoleBinding")
    assert "rowlock-generated" not in rendered.text


def test_the_secrets_job_may_touch_one_secret_alone() -> None:
    create, use = render().component("Role", "secrets")["rules"]

    assert create["verbs"] == ["create"]
    assert use["verbs"] == ["get", "patch"]
    assert use["resourceNames"] == ["rowlock-generated"]


def test_the_secrets_job_knows_no_secret() -> None:
    container = render().pod("secrets").main

    assert "env" not in container
    assert "envFrom" not in container


def test_an_existing_password_is_used_by_the_service_and_by_the_application() -> None:
    rendered = render({"postgresql": {"auth": {"existingSecret": "passwords", "passwordKey": "pg"}}})
    expected = {"secretKeyRef": {"name": "passwords", "key": "pg"}}

    assert rendered.pod("postgresql").env["POSTGRES_PASSWORD"]["valueFrom"] == expected
    assert rendered.pod("web").env["POSTGRESQL_PASSWORD"]["valueFrom"] == expected


def test_every_reference_to_the_generated_secret_is_to_a_key_that_is_made() -> None:
    for release in ("rowlock", "boat", "postgresql"):
        rendered = render({"fullnameOverride": "else"}, release=release)
        command = rendered.pod("secrets").main["command"]
        generated = command[command.index("--name") + 1]
        for pod in rendered.pods():
            for variable in pod.env.values():
                if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                    assert reference["name"] == generated, pod.name
                    assert reference["key"] in command, pod.name
