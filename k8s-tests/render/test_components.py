"""Commands, ports and probes of the components, with the rowlock app in the image and without."""

import pytest

from render.chart import Manifest, Pod, RefusedError, Rendered, Values, render

STRANGER: Values = {"app": {"rowlock": False}}
WSGI: Values = {"app": {"asgi": "", "wsgi": "shop.wsgi:application", "rowlock": False}}
PROBES = {"startupProbe": "/startupz", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
BACKGROUND = [("worker", "default"), ("worker", "heavy"), ("beat", None)]


def ports(pod: Pod) -> list[int]:
    return [port["containerPort"] for port in pod.main.get("ports", [])]


def probes(pod: Pod) -> list[Manifest]:
    return [pod.main[kind] for kind in PROBES if kind in pod.main]


def container_of(rendered: Rendered, service: str) -> Manifest:
    return rendered.pod(service).main


@pytest.mark.parametrize(("component", "pool"), [("web", None), *BACKGROUND])
def test_every_process_is_probed_on_the_health_port(component: str, pool: str | None) -> None:
    pod = render().pod(component, pool)

    assert 9540 in ports(pod)
    for probe, path in PROBES.items():
        assert pod.main[probe]["httpGet"] == {"path": path, "port": "health"}


def test_no_probe_of_the_application_starts_a_process() -> None:
    for pod in render().pods():
        if pod.labels["app.kubernetes.io/name"] == "rowlock":
            assert not any("exec" in probe for probe in probes(pod)), pod.name


def test_web_serves_asgi_on_both_ports() -> None:
    assert render().pod("web").main["command"] == [
        *("gunicorn", "example.asgi:application", "--worker-class=asgi", "--workers=1"),
        *("--bind=0.0.0.0:8000", "--bind=0.0.0.0:9540"),
        *("--worker-tmp-dir=/tmp", "--graceful-timeout=30", "--keep-alive=75", "--access-logfile=-"),
    ]


def test_web_can_serve_wsgi() -> None:
    pod = render(WSGI).pod("web")

    assert pod.main["command"][1:4] == ["shop.wsgi:application", "--worker-class=gthread", "--threads=4"]
    assert ports(pod) == [8000]


def test_without_the_rowlock_app_web_is_probed_on_its_own_port() -> None:
    pod = render(STRANGER).pod("web")

    assert ports(pod) == [8000]
    assert [probe["tcpSocket"] for probe in probes(pod)] == [{"port": "http"}] * 3
    assert "--bind=0.0.0.0:9540" not in pod.main["command"]


@pytest.mark.parametrize(("component", "pool"), BACKGROUND)
def test_without_the_rowlock_app_workers_and_beat_are_not_probed(component: str, pool: str | None) -> None:
    pod = render(STRANGER).pod(component, pool)

    assert probes(pod) == []
    assert ports(pod) == []


def test_a_command_of_its_own_replaces_the_web_servers() -> None:
    pod = render({"web": {"command": ["daphne", "shop.asgi:application"]}, **STRANGER}).pod("web")

    assert pod.main["command"] == ["daphne", "shop.asgi:application"]


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ({"wsgi": "a.wsgi:application"}, r"app\.asgi and app\.wsgi are both set: set the one"),
        ({"asgi": ""}, r"Neither app\.asgi nor app\.wsgi is set: set one"),
    ],
)
def test_one_of_asgi_and_wsgi_is_needed(app: Values, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        render({"app": app})


def test_web_leaves_after_the_last_request() -> None:
    pod = render().pod("web")

    assert pod.main["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    assert pod.spec["terminationGracePeriodSeconds"] > 5 + 30


def test_beat_takes_a_scheduler() -> None:
    command = render({"beat": {"scheduler": "shop.beat:Scheduler"}}).pod("beat").main["command"]

    assert command[-2:] == ["--scheduler", "shop.beat:Scheduler"]


def test_beat_can_be_left_out() -> None:
    rendered = render({"beat": {"enabled": False}})

    assert "rowlock-beat" not in {found["metadata"]["name"] for found in rendered.objects}


def test_a_digest_wins_over_the_tag() -> None:
    digest = "sha256:" + "a" * 64
    image = render({"image": {"repository": "shop", "tag": "2", "digest": digest}}).pod("web").main["image"]

    assert image == f"shop@{digest}"


def test_every_pod_pulls_with_the_secrets_of_its_registry() -> None:
    secrets = {"image": {"pullSecrets": ["registry"]}}
    rendered = render({**secrets, "postgresql": secrets, "rabbitmq": secrets, "redis": secrets})

    for pod in rendered.pods():
        assert pod.spec["imagePullSecrets"] == [{"name": "registry"}], pod.name


def test_the_service_leads_to_the_web_port() -> None:
    rendered = render({"web": {"service": {"port": 8080}}})

    assert rendered.one("Service", "rowlock-web")["spec"]["ports"] == [
        {"name": "http", "port": 8080, "targetPort": "http"}
    ]


@pytest.mark.parametrize("service", ["postgresql", "rabbitmq", "redis"])
def test_a_service_keeps_its_data_on_a_claim_with_labels_that_never_change(service: str) -> None:
    claims = render().component("StatefulSet", service)["spec"]["volumeClaimTemplates"]

    assert [claim["metadata"]["name"] for claim in claims] == ["data"]
    assert claims[0]["metadata"]["labels"].keys() == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
    }


@pytest.mark.parametrize(
    ("persistence", "volume"),
    [
        ({"enabled": False}, {"name": "data", "emptyDir": {}}),
        ({"existingClaim": "mine"}, {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}}),
    ],
)
@pytest.mark.parametrize("service", ["postgresql", "rabbitmq", "redis"])
def test_a_service_can_keep_its_data_elsewhere(service: str, persistence: Values, volume: Manifest) -> None:
    pod = render({service: {"persistence": persistence}}).pod(service)

    assert volume in pod.spec["volumes"]
    assert "volumeClaimTemplates" not in pod.owner["spec"]


@pytest.mark.parametrize("service", ["postgresql", "rabbitmq", "redis"])
def test_a_service_is_alive_while_its_port_is_open(service: str) -> None:
    liveness = container_of(render(), service)["livenessProbe"]

    assert liveness["tcpSocket"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 60


def test_the_broker_knows_its_memory() -> None:
    config = render().one("ConfigMap", "rowlock-rabbitmq")["data"]["rabbitmq.conf"]

    assert "total_memory_available_override_value = 1GiB" in config


def test_postgres_takes_parameters() -> None:
    args = container_of(render({"postgresql": {"parameters": {"max_connections": 1000000}}}), "postgresql")["args"]

    assert args == ["-c", "max_connections=1000000"]


def test_no_password_is_an_argument_of_redis() -> None:
    command = container_of(render(), "redis")["command"]

    assert "requirepass $REDIS_PASSWORD" in command[2]
    assert "--requirepass" not in command[2]


def test_the_test_asks_every_queue_of_every_pool_that_has_pods() -> None:
    rendered = render({"workers": {"idle": {"queues": ["idle"], "replicas": 0}}})

    command = rendered.pod("test").main["command"]

    assert command[2:] == ["example.celery:app", "default=celery,email,text,page", "heavy=image,report,model"]
