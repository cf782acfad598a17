"""celery-exporter and Flower: off until somebody asks, and Flower never without a login."""

import pytest

from render.chart import RefusedError, Rendered, Values, notes, render

EXPORTER: Values = {"celeryExporter": {"enabled": True}}
FLOWER: Values = {"flower": {"enabled": True}}
MONITORS = {"celery-exporter": EXPORTER, "flower": FLOWER}
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}

every_monitor = pytest.mark.parametrize("monitor", MONITORS)


def ports_out(rendered: Rendered, component: str) -> set[int]:
    rules = rendered.component("NetworkPolicy", component)["spec"]["egress"]
    return {port["port"] for rule in rules for port in rule["ports"]}


@every_monitor
def test_a_monitor_is_off_by_default(monitor: str) -> None:
    components = {pod.labels["app.kubernetes.io/component"] for pod in render().pods()}

    assert monitor not in components


@pytest.mark.parametrize(("values", "events"), [({}, False), (EXPORTER, True), (FLOWER, True)])
def test_workers_send_task_events_only_when_somebody_listens(values: Values, events: bool) -> None:
    command = render(values).pod("worker", "heavy").main["command"]

    assert ("--task-events" in command) is events


@pytest.mark.parametrize(("monitor", "services"), [("celery-exporter", {5672}), ("flower", {5672, 15672})])
def test_a_monitor_reaches_rabbitmq_alone(monitor: str, services: set[int]) -> None:
    assert ports_out(render(MONITORS[monitor]), monitor) == {53, 5353} | services


@every_monitor
def test_a_monitor_knows_no_setting_of_the_application(monitor: str) -> None:
    pod = render(MONITORS[monitor]).pod(monitor)

    assert "envFrom" not in pod.main
    assert not {"SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE"} & pod.env.keys()
    assert pod.env["BROKER_URL"]["value"].startswith("amqp://rowlock:$(RABBITMQ_PASSWORD)@")


@every_monitor
def test_a_monitor_lives_on_while_the_broker_is_away(monitor: str) -> None:
    liveness = render(MONITORS[monitor]).pod(monitor).main["livenessProbe"]

    assert liveness.get("httpGet", {}).get("path") in (None, "/healthcheck")


@pytest.mark.parametrize(("monitor", "port"), [("celery-exporter", 9808), ("flower", 5555)])
def test_a_monitor_has_a_service(monitor: str, port: int) -> None:
    rendered = render(MONITORS[monitor])

    target = rendered.component("Service", monitor)["spec"]["ports"][0]
    named = {one["name"]: one["containerPort"] for one in rendered.pod(monitor).main["ports"]}

    assert (target["port"], named[target["targetPort"]]) == (port, port)


def test_the_exporter_tells_of_the_queues_that_no_worker_consumes() -> None:
    env = render({**EXPORTER, "workerDefaults": {"replicas": 0}}).pod("celery-exporter").env

    assert env["CE_QUEUES"]["value"] == "celery,email,image,model,page,report,text"


def test_a_monitor_takes_more_arguments() -> None:
    rendered = render(
        {
            "celeryExporter": {"enabled": True, "extraArgs": ["--log-level=DEBUG"]},
            "flower": {"enabled": True, "extraArgs": ["--max-tasks=1000"]},
        }
    )

    assert rendered.pod("celery-exporter").main["args"] == ["--log-level=DEBUG"]
    assert rendered.pod("flower").main["command"] == ["celery", "flower", "--max-tasks=1000"]


def test_flower_asks_for_a_password_that_is_made_once() -> None:
    rendered = render(FLOWER)

    env = rendered.pod("flower").env

    assert env["FLOWER_BASIC_AUTH"]["value"] == "flower:$(BASIC_AUTH_PASSWORD)"
    reference = env["BASIC_AUTH_PASSWORD"]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "rowlock-generated", "key": "flower-password"}
    assert "flower-password" in rendered.pod("secrets").main["command"]
    assert "flower-password" not in render().pod("secrets").main["command"]


def test_flower_knows_its_password_before_the_login_that_it_is_in() -> None:
    names = list(render(FLOWER).pod("flower").env)

    assert names.index("BASIC_AUTH_PASSWORD") < names.index("FLOWER_BASIC_AUTH")
    assert names.index("BROKER_URL") < names.index("CELERY_BROKER_URL")


def test_flower_takes_an_existing_password() -> None:
    auth = {"username": "oars", "existingSecret": "passwords", "passwordKey": "flower"}
    rendered = render({"flower": {"enabled": True, "auth": auth}})

    env = rendered.pod("flower").env

    assert env["FLOWER_BASIC_AUTH"]["value"] == "oars:$(BASIC_AUTH_PASSWORD)"
    assert env["BASIC_AUTH_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "passwords", "key": "flower"}
    assert "flower-password" not in rendered.pod("secrets").main["command"]


@pytest.mark.parametrize("name", ["", "a:b", "a,b"])
def test_a_name_that_would_be_two_logins_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="/flower/auth/username"):
        render({"flower": {"enabled": True, "auth": {"username": name}}})


def test_flower_only_shows_unless_told() -> None:
    assert render(FLOWER).pod("flower").env["FLOWER_READ_ONLY"]["value"] == "true"


def test_flower_is_reached_by_the_named_ones_alone() -> None:
    nobody = render(FLOWER).component("NetworkPolicy", "flower")["spec"]["ingress"]
    named = render({**FLOWER, "networkPolicy": {"flower": {"from": [PEER]}}})

    assert nobody == []
    assert named.component("NetworkPolicy", "flower")["spec"]["ingress"] == [
        {"ports": [{"protocol": "TCP", "port": 5555}], "from": [PEER]}
    ]


def test_the_notes_tell_how_to_open_flower() -> None:
    text = notes(FLOWER)

    assert "port-forward --namespace demo service/rowlock-flower 5555" in text
    assert """rowlock-generated --output go-template='{{index .data "flower-password" | base64decode}}'""" in text
