"""The chart as helm renders it."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jmespath
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "rowlock"
SUBCHARTS = ("postgresql", "rabbitmq", "redis")
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
# Helm takes the cluster's version from what it was built with; builds from source know none.
KUBERNETES = "1.34.0"

POD_OWNERS = {"Deployment", "StatefulSet", "Job"}

Manifest = dict[str, Any]
Values = Mapping[str, Any]


class RefusedError(Exception):
    """Helm did not render; the message is its own."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod or pod template, and the object that it is in."""

    owner: Manifest
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Manifest

    @property
    def name(self) -> str:
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def containers(self) -> list[Manifest]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def main(self) -> Manifest:
        container: Manifest = self.spec["containers"][0]
        return container

    @property
    def env(self) -> dict[str, Manifest]:
        return {variable["name"]: variable for variable in self.main.get("env", [])}


class Rendered:
    """The objects of a release."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.objects: list[Manifest] = [found for found in yaml.safe_load_all(text) if found]

    def kind(self, kind: str) -> list[Manifest]:
        return [found for found in self.objects if found["kind"] == kind]

    def names(self, kind: str) -> set[str]:
        return {found["metadata"]["name"] for found in self.kind(kind)}

    def one(self, kind: str, name: str) -> Manifest:
        found = [candidate for candidate in self.kind(kind) if candidate["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects are a {kind} named {name}; there are {sorted(self.names(kind))}"
        return found[0]

    def component(self, kind: str, component: str) -> Manifest:
        found = [
            one for one in self.kind(kind) if one["metadata"]["labels"]["app.kubernetes.io/component"] == component
        ]
        assert len(found) == 1, f"{len(found)} objects are a {kind} of {component}"
        return found[0]

    def pods(self) -> Iterator[Pod]:
        for found in self.objects:
            if found["kind"] in POD_OWNERS:
                yield as_pod(found, found["spec"]["template"])
            elif found["kind"] == "Pod":
                yield as_pod(found, found)

    def pod(self, component: str, pool: str | None = None) -> Pod:
        found = [
            pod
            for pod in self.pods()
            if pod.labels["app.kubernetes.io/component"] == component and pod.labels.get("rowlock.dev/pool") == pool
        ]
        assert len(found) == 1, f"{len(found)} pod templates are of {component} {pool or ''}"
        return found[0]

    def search(self, expression: str) -> Any:
        return jmespath.search(expression, self.objects)


def as_pod(owner: Manifest, template: Manifest) -> Pod:
    metadata = template["metadata"]
    return Pod(
        owner=owner, labels=metadata["labels"], annotations=metadata.get("annotations", {}), spec=template["spec"]
    )


def render(
    values: Values | None = None,
    *,
    example: Path | None = None,
    program: str = "helm",
    release: str = "rowlock",
    apis: tuple[str, ...] = (),
) -> Rendered:
    """The chart with an example's values, and `values` over them, for a cluster that has `apis` beside its own."""
    return Rendered(_template(json.dumps(values or {}), example, program, release, apis))


@cache
def _template(values: str, example: Path | None, program: str, release: str, apis: tuple[str, ...]) -> str:
    return template(values, example=example, program=program, release=release, apis=apis)


def template(
    values: str = "{}",
    *,
    example: Path | None = None,
    program: str = "helm",
    release: str = "rowlock",
    apis: tuple[str, ...] = (),
) -> str:
    """What `helm template` prints, asked anew."""
    more = ["--kube-version", KUBERNETES, *(f"--api-versions={api}" for api in apis)]
    return run_helm(program, "template", release, values=values, example=example, more=more)


def notes(values: Values | None = None, *, example: Path | None = None) -> str:
    """What helm tells after an installation."""
    text = run_helm(
        "helm", "install", "rowlock", values=json.dumps(values or {}), example=example, more=["--dry-run=client"]
    )
    return text.partition("\nNOTES:\n")[2]


def run_helm(program: str, command: str, release: str, *, values: str, example: Path | None, more: list[str]) -> str:
    files = [] if example is None else ["--values", str(example)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overrides:
        overrides.write(values)
        overrides.flush()
        arguments = [command, release, str(CHART), "--namespace", "demo", *more, *files, "--values", overrides.name]
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RefusedError(done.stderr)
    return done.stdout
