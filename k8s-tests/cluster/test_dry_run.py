"""The API server takes what every example of values renders, by Helm 4 and by Helm 3."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import CHART
from cluster.harness.shell import run

EXAMPLES = sorted((CHART / "ci").glob("*.yaml"))
PROGRAMS = ("helm", "helm3")


def test_there_are_examples() -> None:
    assert EXAMPLES, f"no values files in {CHART / 'ci'}"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_api_server_takes_what_an_example_renders(namespace: Namespace, example: Path, program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not on PATH")
    objects = _rendered(program, example, namespace)
    known = set(namespace.kubectl("api-resources", "--output", "name").split())
    taken = [document for document in objects if _is_known(document, known)]
    # A pod is refused without its ServiceAccount, and a dry run makes none.
    namespace.apply(*(document for document in taken if document["kind"] == "ServiceAccount"))

    answer = namespace.kubectl(
        "apply", "--dry-run=server", "--warnings-as-errors", "-f", "-", stdin=yaml.safe_dump_all(taken)
    )

    assert len(answer.splitlines()) == len(taken), answer
    for document in objects:
        if document not in taken:
            print(f"not tried, the cluster has no {document['kind']}: {document['metadata']['name']}")


def _rendered(program: str, example: Path, namespace: Namespace) -> list[Manifest]:
    version = json.loads(namespace.kubectl("version", "--output", "json"))["serverVersion"]["gitVersion"]
    rendered = run(
        *(program, "template", "rowlock", str(CHART), "--values", str(example)),
        *("--namespace", namespace.name, "--kube-version", version),
    )
    return [document for document in yaml.safe_load_all(rendered) if document]


def _is_known(document: Manifest, known: set[str]) -> bool:
    group = document["apiVersion"].rpartition("/")[0]
    kind = document["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("s") else f"{kind}s"
    return (f"{plural}.{group}" if group else plural) in known
