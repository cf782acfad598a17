"""The collector of queue metrics: one process that knows the queues of the pools, and reaches RabbitMQ alone."""

import json
from typing import Any

import pytest

from render.chart import RefusedError, Rendered, Values, notes, render

STRANGER: Values = {"app": {"rowlock": False}, "image": {"repository": "shop", "tag": "2"}}
DNS = (53, 5353)
API_SERVER = (443, 6443)
ELSEWHERE: Values = {"enabled": False}
BROKER = "amqp://oars:pull-together@mq.example.com:5672/oars"
MANAGEMENT = "https://oars:pull-together@mq.example.com/"


def queues(rendered: Rendered) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(rendered.pod("collector").env["ROWLOCK_QUEUES"]["value"])
    return told


def pools(**workers: Any) -> Rendered:
    return render({"workers": {"default": None, "heavy": None, **workers}})


def external(**values: str) -> Values:
    return {"rabbitmq": ELSEWHERE, "externalRabbitmq": values}


def test_there_is_one_collector_with_no_worker_up() -> None:
    rendered = render({"workerDefaults": {"replicas": 0}})

    spec = rendered.component("Deployment", "collector")["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert rendered.pod("collector").main["command"] == ["python", "-m", "rowlock.collector"]


def test_the_collector_can_be_left_out() -> None:
    rendered = render({"metrics": {"collector": {"enabled": False}}})

    assert "rowlock-collector" not in {found["metadata"]["name"] for found in rendered.objects}


def test_without_pools_there_is_nothing_to_collect() -> None:
    assert "rowlock-collector" not in render({"workerDefaults": {"enabled": False}}).names("Deployment")


def test_it_knows_the_pool_of_every_queue() -> None:
    told = queues(pools(mail={"queues": ["mail", "page"]}, sums={"queues": ["sums"]}))

    assert {name: queue["pool"] for name, queue in told.items()} == {"mail": "mail", "page": "mail", "sums": "sums"}


@pytest.mark.parametrize(
    ("pool", "seconds"),
    [
        ({"taskTimeLimit": 7200}, 7200 + 30 + 60),
        ({"taskTimeLimit": 7200, "prefetch": 3}, 3 * 7200 + 30 + 60),
        ({"taskTimeLimit": 7200, "terminationGracePeriodSeconds": 9000}, 9000 + 60),
        ({"taskTimeLimit": 100000000}, 100000000 + 90),
        ({"taskTimeLimit": 5}, 1800),
    ],
)
def test_rabbitmq_waits_longer_than_the_longest_task_of_a_queue(pool: Any, seconds: int) -> None:
    assert queues(pools(sums={"queues": ["sums"], **pool}))["sums"]["consumerTimeout"] == seconds


def test_a_queue_of_two_pools_has_the_patience_of_the_longer() -> None:
    told = queues(pools(slow={"queues": ["mail"], "taskTimeLimit": 7200}, quick={"queues": ["mail"]}))

    assert told["mail"] == {"pool": "quick", "consumerTimeout": 7290}


def test_in_a_plain_project_it_is_rowlocks_own_image_without_the_projects_settings() -> None:
    pod = render(STRANGER).pod("collector")

    assert pod.main["image"] == "ghcr.io/rowlock/rowlock:0.1.0"
    known = {"BROKER_URL", "RABBITMQ_PASSWORD", "ROWLOCK_QUEUES", "ROWLOCK_POLICIES", "ROWLOCK_PODS_MAX"}
    assert set(pod.env) == known | {"ROWLOCK_RELEASE", "ROWLOCK_POD_NAME", "ROWLOCK_POD_NAMESPACE"}
    assert "envFrom" not in pod.main
    assert render(STRANGER).pod("web").main["image"] == "shop:2"


@pytest.mark.parametrize(
    ("values", "policies"),
    [({}, "true"), ({"metrics": {"collector": {"policies": False}}}, "false"), (STRANGER, "false")],
)
def test_it_keeps_policies_for_the_rowlock_app_alone(values: Values, policies: str) -> None:
    assert render(values).pod("collector").env["ROWLOCK_POLICIES"]["value"] == policies


@pytest.mark.parametrize("app", [{"rowlock": True}, {"rowlock": False}])
def test_an_external_management_api_is_named_in_a_secret(app: Values) -> None:
    rendered = render({"app": app, **external(url=BROKER, managementUrl=MANAGEMENT)})

    reference = rendered.pod("collector").env["RABBITMQ_MANAGEMENT_URL"]["valueFrom"]["secretKeyRef"]

    assert rendered.one("Secret", "rowlock-external")["stringData"][reference["key"]] == MANAGEMENT
    assert rendered.text.count(MANAGEMENT) == 1


def test_an_external_management_api_can_come_from_an_existing_secret() -> None:
    values = external(existingSecret="oars", existingSecretManagementKey="management")

    env = render(values).pod("collector").env

    assert env["RABBITMQ_MANAGEMENT_URL"]["valueFrom"]["secretKeyRef"] == {"name": "oars", "key": "management"}


def test_without_its_address_the_notes_tell_where_it_is_looked_for() -> None:
    values = external(url=BROKER)

    assert "RABBITMQ_MANAGEMENT_URL" not in render(values).pod("collector").env
    assert "set externalRabbitmq.managementUrl" in notes(values)
    assert "set externalRabbitmq.managementUrl" not in notes(external(url=BROKER, managementUrl=MANAGEMENT))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (external(url=BROKER, existingSecretManagementKey="x"), r"set externalRabbitmq\.existingSecret"),
        (
            external(existingSecret="oars", managementUrl=MANAGEMENT, existingSecretManagementKey="x"),
            "both set: leave one out",
        ),
    ],
)
def test_a_management_api_that_cannot_be_found_is_refused(values: Values, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        render(values)


def test_the_notes_tell_of_tasks_that_rabbitmq_would_take_away() -> None:
    slow = {"workers": {"heavy": {"taskTimeLimit": 30000}}}

    assert "pool heavy may hold one for 30090 s" in notes({**slow, "app": {"rowlock": False}})
    assert "may hold one" not in notes(slow)


def ports_out(rendered: Rendered) -> set[int]:
    policy = rendered.component("NetworkPolicy", "collector")["spec"]
    return {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def test_it_reaches_what_it_watches_and_no_amqp() -> None:
    rendered = render()

    assert ports_out(rendered) == {*DNS, *API_SERVER, 5432, 6379, 15672}
    for service in ("postgresql", "redis"):
        clients = rendered.component("NetworkPolicy", service)["spec"]["ingress"][0]["from"][0]["podSelector"]
        assert "collector" in clients["matchExpressions"][0]["values"], service


def test_in_a_plain_project_it_reaches_no_database() -> None:
    assert ports_out(render(STRANGER)) == {*DNS, *API_SERVER, 15672}


def test_it_reaches_amqp_elsewhere_to_see_its_certificate() -> None:
    assert 5671 in ports_out(render({"rabbitmq": ELSEWHERE, "externalRabbitmq": {"url": BROKER, "port": 5671}}))


def test_it_knows_to_how_many_pods_a_pool_may_grow() -> None:
    rendered = pools(
        still={"queues": ["a"], "replicas": 3}, growing={"queues": ["b"], "autoscaling": {"enabled": True, "max": 7}}
    )

    assert json.loads(rendered.pod("collector").env["ROWLOCK_PODS_MAX"]["value"]) == {"still": 3, "growing": 7}


def test_it_knows_its_release() -> None:
    env = render(release="oars").pod("collector").env

    assert env["ROWLOCK_RELEASE"]["value"] == "oars"
    assert env["ROWLOCK_POD_NAMESPACE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}


def test_it_is_let_out_to_the_port_of_an_external_management_api() -> None:
    values = {"rabbitmq": ELSEWHERE, "externalRabbitmq": {"url": BROKER, "managementPort": 443}}
    policy = render(values).component("NetworkPolicy", "collector")["spec"]

    assert {"ports": [{"protocol": "TCP", "port": 443}]} in policy["egress"]
