"""Who chooses how many pods there are: nobody, KEDA or an HPA, from a pool's one definition, and never two of them."""

import json
import re
from typing import Any

import pytest

from render.chart import Manifest, RefusedError, Rendered, Values, render

KEDA = ("keda.sh/v1alpha1",)
PROMETHEUS = {"prometheus": {"serverAddress": "http://prometheus.monitoring:9090"}}
ELSEWHERE: Values = {
    "rabbitmq": {"enabled": False},
    "externalRabbitmq": {"existingSecret": "broker", "existingSecretManagementKey": "management", "vhost": "shop"},
}


def pool(*, apis: tuple[str, ...] = KEDA, more: Values | None = None, **autoscaling: Any) -> Rendered:
    """The chart with its default pool autoscaled, on a cluster with `apis`, and `more` values."""
    values = {"workers": {"default": {"autoscaling": {"enabled": True, **autoscaling}}}, **(more or {})}
    return render(values, apis=apis)


def scaled_object(rendered: Rendered) -> Manifest:
    spec: Manifest = rendered.one("ScaledObject", "rowlock-worker-default")["spec"]
    return spec


def trigger(rendered: Rendered, name: str) -> Manifest:
    (found,) = [one for one in scaled_object(rendered)["triggers"] if one["name"] == name]
    return dict(found)


def hpa(rendered: Rendered, name: str) -> Manifest:
    spec: Manifest = rendered.one("HorizontalPodAutoscaler", name)["spec"]
    return spec


def refused(**given: Any) -> str:
    with pytest.raises(RefusedError) as error:
        pool(**given)
    return str(error.value)


def test_pods_are_counted_by_the_chart_until_autoscaling_is_on() -> None:
    rendered = render(apis=KEDA)

    assert rendered.kind("ScaledObject") == rendered.kind("HorizontalPodAutoscaler") == []
    assert {one["metadata"]["name"]: one["spec"]["replicas"] for one in rendered.kind("Deployment")}.items() >= {
        ("rowlock-web", 2),
        ("rowlock-worker-default", 1),
        ("rowlock-worker-heavy", 1),
    }


@pytest.mark.parametrize("apis", [KEDA, ()])
def test_an_autoscaled_pool_says_no_number_of_its_own(apis: tuple[str, ...]) -> None:
    rendered = pool(apis=apis)

    assert "replicas" not in rendered.one("Deployment", "rowlock-worker-default")["spec"]
    assert rendered.one("Deployment", "rowlock-worker-heavy")["spec"]["replicas"] == 1


def test_an_autoscaled_web_says_no_number_of_its_own() -> None:
    rendered = render({"web": {"autoscaling": {"enabled": True}}})

    assert "replicas" not in rendered.one("Deployment", "rowlock-web")["spec"]
    assert (hpa(rendered, "rowlock-web")["minReplicas"], hpa(rendered, "rowlock-web")["maxReplicas"]) == (2, 10)


@pytest.mark.parametrize(
    ("engine", "apis", "kind"),
    [
        ("auto", KEDA, "ScaledObject"),
        ("auto", (), "HorizontalPodAutoscaler"),
        ("keda", (), "ScaledObject"),
        ("hpa", KEDA, "HorizontalPodAutoscaler"),
    ],
)
def test_one_engine_scales_a_pool(engine: str, apis: tuple[str, ...], kind: str) -> None:
    rendered = pool(apis=apis, engine=engine)

    found = [one for one in rendered.objects if one["kind"] in ("ScaledObject", "HorizontalPodAutoscaler")]

    assert [one["kind"] for one in found] == [kind]
    assert found[0]["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "rowlock-worker-default",
    }


def test_the_backlog_is_what_waits_and_what_runs_in_all_queues_of_the_pool() -> None:
    backlog = trigger(pool(), "backlog")

    assert backlog["type"] == "rabbitmq"
    assert backlog["metadata"] == {
        "protocol": "http",
        "host": "http://rowlock-rabbitmq.demo.svc:15672",
        "vhostName": "rowlock",
        "queueName": "^(celery|email|text|page)$",
        "useRegex": "true",
        "mode": "QueueLength",
        "value": "2",
    }
    # The default, AverageValue: messages over pods.
    assert "metricType" not in backlog


def test_the_name_of_a_queue_is_taken_as_it_is() -> None:
    values = {"workers": {"dots": {"queues": ["a.b+c"], "autoscaling": {"enabled": True}}}}

    rendered = render(values, apis=KEDA)

    pattern = rendered.one("ScaledObject", "rowlock-worker-dots")["spec"]["triggers"][0]["metadata"]["queueName"]
    assert re.search(pattern, "a.b+c")
    assert not re.search(pattern, "aXb+c")


@pytest.mark.parametrize(("values", "expected"), [({}, "2"), ({"messagesPerWorker": 50}, "50")])
def test_a_pod_more_for_every_so_many_messages(values: dict[str, Any], expected: str) -> None:
    assert trigger(pool(**values), "backlog")["metadata"]["value"] == expected


def test_no_password_is_in_a_scaled_object() -> None:
    rendered = pool()
    spec = scaled_object(rendered)

    (authentication,) = rendered.kind("TriggerAuthentication")

    assert spec["triggers"][0]["authenticationRef"] == {"name": authentication["metadata"]["name"]}
    assert authentication["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "rowlock-generated", "key": "rabbitmq-password"}
    ]
    assert "@" not in json.dumps(spec)


def test_the_user_of_the_management_api_is_the_brokers() -> None:
    rendered = pool(more={"rabbitmq": {"auth": {"username": "rower"}}})

    (reference,) = rendered.kind("TriggerAuthentication")[0]["spec"]["configMapTargetRef"]

    assert rendered.one("ConfigMap", reference["name"])["data"][reference["key"]] == "rower"


def test_a_broker_elsewhere_is_asked_at_its_own_url() -> None:
    rendered = pool(more=ELSEWHERE)

    metadata = trigger(rendered, "backlog")["metadata"]

    assert "host" not in metadata
    assert metadata["vhostName"] == "shop"
    assert rendered.kind("TriggerAuthentication")[0]["spec"] == {
        "secretTargetRef": [{"parameter": "host", "name": "broker", "key": "management"}]
    }


def test_the_management_url_of_a_broker_elsewhere_is_kept_in_a_secret() -> None:
    url = "https://user:secret@mq.example.com/"
    external = {"url": "amqps://user:secret@mq.example.com", "managementUrl": url}
    rendered = pool(more={"rabbitmq": {"enabled": False}, "externalRabbitmq": external})

    (reference,) = rendered.kind("TriggerAuthentication")[0]["spec"]["secretTargetRef"]

    assert rendered.one("Secret", reference["name"])["stringData"][reference["key"]] == url


def test_the_wait_is_compared_with_the_one_that_is_wanted() -> None:
    waiting = trigger(pool(maxWait=30, more={"autoscaling": PROMETHEUS}), "waiting")

    assert (waiting["type"], waiting["metricType"]) == ("prometheus", "Value")
    assert waiting["metadata"] == {
        "serverAddress": "http://prometheus.monitoring:9090",
        "query": 'max(rowlock_queue_oldest_seconds{pool="default",namespace="demo"})',
        "threshold": "30",
        "activationThreshold": "30",
        "ignoreNullValues": "false",
    }


def test_the_labels_of_the_metrics_can_be_given() -> None:
    prometheus = {**PROMETHEUS["prometheus"], "labels": {"job": "shop"}, "authenticationRef": {"name": "token"}}

    waiting = trigger(pool(maxWait=30, more={"autoscaling": {"prometheus": prometheus}}), "waiting")

    assert waiting["metadata"]["query"] == 'max(rowlock_queue_oldest_seconds{pool="default",job="shop"})'
    assert waiting["authenticationRef"] == {"name": "token"}


def test_a_pool_that_may_sleep_wakes_with_as_many_pods_as_wanted() -> None:
    spec = scaled_object(pool(min=0, wake=3))

    assert (spec["idleReplicaCount"], spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 3, 10)
    assert (spec["pollingInterval"], spec["cooldownPeriod"]) == (5, 120)


def test_a_pool_that_never_sleeps_leaves_the_asking_to_the_hpa() -> None:
    spec = scaled_object(pool(min=2))

    # KEDA warns of them: they mean nothing then.
    assert not {"idleReplicaCount", "pollingInterval", "cooldownPeriod"} & spec.keys()
    assert spec["minReplicaCount"] == 2


@pytest.mark.parametrize(("values", "replicas"), [({"min": 0}, 1), ({"min": 3}, 3), ({"fallback": {"replicas": 5}}, 5)])
def test_nobody_shrinks_a_pool_for_want_of_an_answer(values: dict[str, Any], replicas: int) -> None:
    fallback = scaled_object(pool(**values))["fallback"]

    assert fallback == {"failureThreshold": 6, "replicas": replicas, "behavior": "currentReplicasIfHigher"}


@pytest.mark.parametrize("apis", [KEDA, ()])
def test_pools_grow_at_once_and_shrink_after_a_while(apis: tuple[str, ...]) -> None:
    rendered = pool(apis=apis)
    behavior = (
        scaled_object(rendered)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        if apis
        else hpa(rendered, "rowlock-worker-default")["behavior"]
    )

    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 60


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [("Resource", 70)]),
        ({"cpu": 50}, [("Resource", 50)]),
        ({"metrics": [{"type": "Pods"}]}, [("Pods", None)]),
        ({"cpu": 50, "metrics": [{"type": "Pods"}]}, [("Resource", 50), ("Pods", None)]),
    ],
)
def test_an_hpa_looks_at_the_cpu_or_at_the_metrics_that_are_named(values: dict[str, Any], expected: list[Any]) -> None:
    metrics = hpa(pool(apis=(), **values), "rowlock-worker-default")["metrics"]

    found = [(one["type"], one.get("resource", {}).get("target", {}).get("averageUtilization")) for one in metrics]

    assert found == expected


def test_the_names_of_autoscalers_fit_into_labels() -> None:
    name = "a-pool-with-a-rather-long-name"
    values = {
        "fullnameOverride": "a-release-with-a-name-of-forty-characters"[:40],
        "workers": {name: {"queues": ["long"], "autoscaling": {"enabled": True}}},
    }

    (found,) = render(values, apis=KEDA).kind("ScaledObject")

    assert len(f"keda-hpa-{found['metadata']['name']}") <= 63
    assert found["spec"]["scaleTargetRef"]["name"].endswith(name)


def test_keda_reaches_the_management_port_where_it_scales_a_pool() -> None:
    def ports(rendered: Rendered) -> dict[int, Any]:
        rules = rendered.component("NetworkPolicy", "rabbitmq")["spec"]["ingress"]
        return {port["port"]: rule["from"] for rule in rules for port in rule["ports"]}

    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}

    assert peer in ports(pool())[15672]
    assert peer not in ports(pool(engine="hpa")).get(15672, [])


def test_an_autoscaled_pool_has_a_budget_that_lets_one_pod_go() -> None:
    budget = pool(min=1).one("PodDisruptionBudget", "rowlock-worker-default")

    assert budget["spec"]["maxUnavailable"] == 1


def test_a_minimum_above_the_maximum_is_refused() -> None:
    assert "workers.default.autoscaling.min (11) is above max (10): lower min, or raise max" in refused(min=11)


def test_replicas_beside_autoscaling_are_refused() -> None:
    values = {"workers": {"default": {"replicas": 3, "autoscaling": {"enabled": True}}}}

    with pytest.raises(RefusedError, match=r"workers\.default\.replicas and .* would fight: leave out replicas"):
        render(values)
    with pytest.raises(RefusedError, match=r"web\.replicas and web\.autoscaling .* would fight: leave out replicas"):
        render({"web": {"replicas": 3, "autoscaling": {"enabled": True}}})


@pytest.mark.parametrize("stays", [2, "100%"])
def test_a_budget_that_a_shrunken_pool_cannot_keep_is_refused(stays: int | str) -> None:
    values = {"autoscaling": {"enabled": True, "min": 2}, "podDisruptionBudget": {"minAvailable": stays}}

    with pytest.raises(RefusedError, match=rf"minAvailable \({stays}\) is not below autoscaling\.min \(2\)"):
        render({"workers": {"default": values}})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"engine": "keda", "cpu": 50}, "engine keda and cpu or metrics"),
        ({"engine": "keda", "metrics": [{"type": "Pods"}]}, "engine keda and cpu or metrics"),
        ({"engine": "hpa", "messagesPerWorker": 4}, "engine hpa and messagesPerWorker or maxWait"),
        ({"engine": "hpa", "maxWait": 4}, "engine hpa and messagesPerWorker or maxWait"),
        ({"engine": "hpa", "min": 0}, "a plain HPA cannot wake a pool: set min to 1"),
        ({"maxWait": 4}, "maxWait needs a Prometheus that scrapes the collector: set autoscaling.prometheus"),
        ({"min": 1, "wake": 3}, "wake (3) is for pools that sleep, and min is 1"),
        ({"min": 0, "wake": 11}, "wake (11) is above max (10)"),
    ],
)
def test_settings_that_contradict_are_refused(values: dict[str, Any], says: str) -> None:
    assert f"workers.default.autoscaling{' has' if 'engine ' in says else ''}" in refused(**values)
    assert says in refused(**values)


def test_without_keda_a_pool_that_should_sleep_is_refused_with_the_reason() -> None:
    assert "this cluster has no KEDA; for `helm template`, --api-versions keda.sh/v1alpha1" in refused(apis=(), min=0)


def test_a_share_of_no_cpu_is_refused() -> None:
    values = {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}

    with pytest.raises(RefusedError, match=r"a share of resources\.requests\.cpu: set that, or autoscaling\.metrics"):
        render({"workers": {"default": values}})


@pytest.mark.parametrize("without", [{"app": {"rowlock": False}}, {"metrics": {"collector": {"enabled": False}}}])
def test_a_wait_that_nobody_tells_is_refused(without: Values) -> None:
    more = {**without, "autoscaling": PROMETHEUS}

    assert "set app.rowlock and metrics.collector.enabled, or leave out maxWait" in refused(maxWait=4, more=more)


def test_a_broker_without_management_api_is_refused() -> None:
    external: Values = {"rabbitmq": {"enabled": False}, "externalRabbitmq": {"url": "amqp://mq.example.com"}}

    assert "set externalRabbitmq.managementUrl" in refused(more=external)


def test_a_web_server_that_would_never_wake_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"web\.autoscaling\.min is 0: nobody would answer"):
        render({"web": {"autoscaling": {"enabled": True, "min": 0}}})
