"""The same values give the same bytes, with every helm, and objects that the API server takes."""

import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from render.chart import CHART, EXAMPLES, render, template

SCHEMAS = "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master/master-standalone-strict/pod-v1.json"

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@every_example
def test_rendering_twice_gives_the_same_bytes(example: Path) -> None:
    assert template(example=example) == template(example=example)


@every_example
def test_helm_3_renders_what_helm_4_renders(example: Path) -> None:
    if shutil.which("helm3") is None:
        pytest.skip("NO HELM 3 HERE: that the chart works with it is not tested")

    assert lines(render(example=example, program="helm3").text) == lines(render(example=example).text)


@pytest.fixture(scope="module")
def conform() -> Callable[[str], subprocess.CompletedProcess[str]]:
    """kubeconform, where its schemas can be reached."""
    if shutil.which("kubeconform") is None:
        pytest.skip("NO KUBECONFORM HERE: the objects' fields are checked on a cluster only")

    def run(objects: str) -> subprocess.CompletedProcess[str]:
        command = [
            "kubeconform",
            "-strict",
            "-skip",
            "HTTPRoute,ScaledObject,TriggerAuthentication,PrometheusRule,ServiceMonitor,PodMonitor,GrafanaDashboard",
            "-summary",
        ]
        return subprocess.run(command, input=objects, capture_output=True, text=True, check=False, timeout=300)

    try:
        urllib.request.urlopen(SCHEMAS, timeout=5).close()
    except OSError as error:
        pytest.skip(f"KUBECONFORM CANNOT REACH ITS SCHEMAS ({error}): the fields are checked on a cluster only")
    return run


@every_example
def test_kubeconform_takes_every_object(
    example: Path, conform: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    done = conform(render(example=example).text)

    assert done.returncode == 0, done.stdout + done.stderr


@every_example
def test_no_name_of_a_kind_is_taken_twice(example: Path) -> None:
    rendered = render(example=example)
    for kind in {found["kind"] for found in rendered.objects}:
        assert len(rendered.kind(kind)) == len(rendered.names(kind)), f"two objects are the same {kind}"


@every_example
def test_no_variable_of_a_container_is_given_twice(example: Path) -> None:
    for pod in render(example=example).pods():
        for container in pod.containers:
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names)), f"{pod.name}: {names}"


def test_nothing_is_a_hook_but_the_test() -> None:
    hooks = render().search('[?metadata.annotations."helm.sh/hook"].metadata.annotations."helm.sh/hook"')

    assert hooks == ["test"]


def test_no_template_asks_the_cluster_or_chance() -> None:
    for path in CHART.glob("**/templates/**/*"):
        if path.is_file():
            found = re.findall(
                r"\b(?:lookup|rand\w+|genPrivateKey|genCA|uuidv4|now|\.Release\.Revision)\b", path.read_text()
            )
            calls = [
                call for call in found if re.search(r"\{\{[^}]*" + re.escape(call) + r"[^}]*\}\}", path.read_text())
            ]
            assert not calls, f"{path.relative_to(CHART)} uses {calls}"


def test_every_object_says_its_namespace() -> None:
    for found in render().objects:
        assert found["metadata"].get("namespace") == "demo", f"{found['kind']} {found['metadata']['name']}"
