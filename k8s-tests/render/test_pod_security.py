"""Every pod of the chart passes Pod Security `restricted`, and has no more than it uses."""

from pathlib import Path

import pytest

from render.chart import EXAMPLES, Manifest, Pod, render

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)


def violations(pod: Pod) -> list[str]:
    """What the `restricted` standard of Kubernetes would refuse."""
    of_pod = pod.spec.get("securityContext", {})
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key)]
    found += [f"volume {one['name']}" for one in pod.spec.get("volumes", []) if not VOLUMES & one.keys()]
    for container in pod.containers:
        found += [f"{container['name']}: {what}" for what in container_violations(container, of_pod)]
    return found


def container_violations(container: Manifest, of_pod: Manifest) -> list[str]:
    own = container.get("securityContext", {})
    effective = of_pod | own
    checks = {
        "may run as root": effective.get("runAsNonRoot") is not True or effective.get("runAsUser") == 0,
        "may gain privileges": own.get("allowPrivilegeEscalation") is not False or own.get("privileged"),
        "keeps capabilities": own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"),
        "has no seccomp profile": effective.get("seccompProfile", {}).get("type") != "RuntimeDefault",
        "has a port of the host": any("hostPort" in port for port in container.get("ports", [])),
    }
    return [what for what, wrong in checks.items() if wrong]


@every_example
def test_every_pod_passes_restricted(example: Path) -> None:
    for pod in render(example=example).pods():
        assert not violations(pod), f"{pod.name}: {violations(pod)}"


@every_example
def test_every_root_file_system_is_read_only_and_tmp_is_not(example: Path) -> None:
    for pod in render(example=example).pods():
        for container in pod.containers:
            where = f"{pod.name}, {container['name']}"
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, where
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}, where


@every_example
def test_every_mount_has_its_volume(example: Path) -> None:
    for pod in render(example=example).pods():
        volumes = {volume["name"] for volume in pod.spec["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in pod.owner["spec"].get("volumeClaimTemplates", [])}
        for container in pod.containers:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, pod.name


@every_example
def test_no_account_gives_its_token_to_a_pod_that_does_not_ask(example: Path) -> None:
    rendered = render(example=example)

    for account in rendered.kind("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False, account["metadata"]["name"]


@every_example
def test_every_pod_runs_as_an_account_of_the_chart_without_service_links(example: Path) -> None:
    rendered = render(example=example)
    for pod in rendered.pods():
        assert pod.spec["serviceAccountName"] in rendered.names("ServiceAccount"), pod.name
        assert pod.spec["enableServiceLinks"] is False, pod.name


@every_example
def test_every_container_has_a_memory_limit_and_no_cpu_limit(example: Path) -> None:
    for pod in render(example=example).pods():
        for container in pod.containers:
            where = f"{pod.name}, {container['name']}"
            assert "memory" in container["resources"]["limits"], where
            assert "cpu" not in container["resources"]["limits"], f"{where}: a CPU limit only slows it down"


def test_the_user_of_another_image_can_be_set_or_left_to_the_cluster() -> None:
    rendered = render({"podSecurityContext": {"runAsUser": 10001, "fsGroup": None}})

    context = rendered.pod("web").spec["securityContext"]

    assert context["runAsUser"] == 10001
    assert "fsGroup" not in context
