"""Who has a token for the API server, and what it lets its holder do."""

from typing import Any

import pytest

from render.chart import Manifest, Rendered, Values, render

API_SERVER = {443, 6443}
UNWATCHED: Values = {"metrics": {"collector": {"kubernetes": False}}}
NO_TOKENS: Values = {"workerDefaults": {"podDeletionCost": False}, **UNWATCHED}


def holders(rendered: Rendered) -> set[str]:
    """The components with a token, a worker with its pool."""
    return {
        "/".join(filter(None, (pod.labels["app.kubernetes.io/component"], pod.labels.get("rowlock.dev/pool"))))
        for pod in rendered.pods()
        if pod.spec["automountServiceAccountToken"]
    }


def rules_of(rendered: Rendered, account: str) -> list[Manifest]:
    """What the roles that are bound to an account allow."""
    rules: list[Manifest] = []
    for binding in rendered.kind("RoleBinding"):
        if {"kind": "ServiceAccount", "name": account, "namespace": "demo"} in binding["subjects"]:
            rules += rendered.one("Role", binding["roleRef"]["name"])["rules"]
    return rules


def calls_the_api_server(rendered: Rendered, component: str) -> bool:
    rules = rendered.component("NetworkPolicy", component)["spec"]["egress"]
    return any({port["port"] for port in rule["ports"]} == API_SERVER for rule in rules)


def test_workers_may_patch_pods_and_do_nothing_else() -> None:
    rendered = render()

    pod = rendered.pod("worker", "heavy")

    assert pod.spec["serviceAccountName"] == "rowlock-worker"
    assert rules_of(rendered, "rowlock-worker") == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}]
    assert calls_the_api_server(rendered, "worker")


def test_a_worker_with_a_deletion_cost_knows_its_pod() -> None:
    env = render().pod("worker", "heavy").env

    assert env["ROWLOCK_DELETION_COST"]["value"] == "true"
    assert env["ROWLOCK_POD_NAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert env["ROWLOCK_POD_NAMESPACE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}


@pytest.mark.parametrize("values", [NO_TOKENS, {"app": {"rowlock": False}, **UNWATCHED}])
def test_without_a_deletion_cost_workers_have_no_token(values: Values) -> None:
    rendered = render(values)

    pod = rendered.pod("worker", "heavy")

    assert holders(rendered) == {"secrets"}
    assert pod.spec["serviceAccountName"] == "rowlock"
    assert "rowlock-worker" not in rendered.names("ServiceAccount") | rendered.names("Role")
    assert not {"ROWLOCK_DELETION_COST", "ROWLOCK_POD_NAME"} & pod.env.keys()
    assert not calls_the_api_server(rendered, "worker")


def test_only_the_pools_that_want_a_deletion_cost_have_a_token() -> None:
    rendered = render({"workers": {"heavy": {"podDeletionCost": False}}, **UNWATCHED})

    assert holders(rendered) == {"secrets", "worker/default"}
    assert rendered.pod("worker", "heavy").spec["serviceAccountName"] == "rowlock"


def test_the_collector_may_list_what_it_tells_of_and_do_nothing_else() -> None:
    rendered = render()

    assert rendered.pod("collector").spec["serviceAccountName"] == "rowlock-collector"
    assert rules_of(rendered, "rowlock-collector") == [
        {"apiGroups": [group], "resources": [kind], "verbs": ["list"]}
        for group, kind in (("", "pods"), ("apps", "deployments"), ("batch", "jobs"))
    ]
    assert calls_the_api_server(rendered, "collector")


def test_without_telling_of_pods_the_collector_has_no_token() -> None:
    rendered = render(UNWATCHED)

    assert "collector" not in holders(rendered)
    assert "rowlock-collector" not in rendered.names("ServiceAccount") | rendered.names("Role")
    assert not {"ROWLOCK_RELEASE", "ROWLOCK_POD_NAME"} & rendered.pod("collector").env.keys()
    assert not calls_the_api_server(rendered, "collector")


def test_every_account_of_the_application_has_its_annotations() -> None:
    annotations: dict[str, Any] = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/oars"}
    rendered = render({"serviceAccount": {"annotations": annotations}})

    for name in ("rowlock", "rowlock-worker", "rowlock-collector"):
        assert rendered.one("ServiceAccount", name)["metadata"]["annotations"] == annotations, name


def test_every_role_is_bound_to_the_account_of_the_same_name() -> None:
    rendered = render()

    assert rendered.names("Role") == rendered.names("RoleBinding")
    for binding in rendered.kind("RoleBinding"):
        name = binding["metadata"]["name"]
        assert (binding["roleRef"]["name"], binding["subjects"][0]["name"]) == (name, name)
