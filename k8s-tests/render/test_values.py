"""The values and their schemas agree, and a mistake is refused by its name."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from render.chart import CHART, EXAMPLES, SUBCHARTS, RefusedError, Values, render

CHARTS = [CHART, *(CHART / "charts" / name for name in SUBCHARTS)]

every_chart = pytest.mark.parametrize("chart", CHARTS, ids=lambda path: path.name)

MISTAKES: dict[str, Values] = {
    "replica": {"web": {"replica": 3}},
    "concurency": {"workers": {"default": {"concurency": 4}}},
    "taskTimelimit": {"workerDefaults": {"taskTimelimit": 5}},
    "persistance": {"postgresql": {"persistance": {"enabled": False}}},
    "maxMemory": {"redis": {"maxMemory": "1gb"}},
    "consumerTimeout": {"rabbitmq": {"consumerTimeout": 5}},
    "extranalRedis": {"extranalRedis": {"url": "redis://cache"}},
    "Heavy": {"workers": {"Heavy": {"queues": ["model"]}}},
}
WRONG_KINDS: dict[str, Values] = {
    "/web/replicas": {"web": {"replicas": "three"}},
    "/image/pullPolicy": {"image": {"pullPolicy": "Sometimes"}},
    "/workers/default/pool": {"workers": {"default": {"pool": "processes"}}},
    "/workers/default/concurrency": {"workers": {"default": {"concurrency": 0}}},
    "/workers/default/taskTimeLimit": {"workers": {"default": {"taskTimeLimit": 0}}},
    "/workers/default/prefetch": {"workers": {"default": {"prefetch": 0}}},
    "/workers/default/health/loopCeiling": {"workers": {"default": {"health": {"loopCeiling": 5}}}},
    "/beat/lock": {"beat": {"lock": "redis"}},
    "/app/asgi": {"app": {"asgi": "example/asgi.py"}},
    "/externalRedis/port": {"externalRedis": {"port": 70000}},
}


def schema_of(chart: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((chart / "values.schema.json").read_text())
    return schema


def values_of(chart: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((chart / "values.yaml").read_text())
    return values


def resolve(schema: Any, root: Any) -> Any:
    """What a schema with references says of the properties of an object."""
    while "$ref" in schema or "allOf" in schema:
        reference = schema["$ref"] if "$ref" in schema else schema["allOf"][0]["$ref"]
        schema = root["definitions"][reference.rpartition("/")[2]]
    return schema


def unknown(values: Any, schema: Any, root: Any, path: str = "") -> Iterator[str]:
    """Paths in the values of which the schema does not say anything."""
    schema = resolve(schema, root)
    if not isinstance(values, dict) or not isinstance(schema.get("properties"), dict):
        return
    for key, value in values.items():
        if key in schema["properties"]:
            yield from unknown(value, schema["properties"][key], root, f"{path}/{key}")
        else:
            yield f"{path}/{key}"


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every part of a schema that describes an object by its properties."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, f"{path}/{key}")


@every_chart
def test_the_schema_is_a_schema(chart: Path) -> None:
    jsonschema.Draft7Validator.check_schema(schema_of(chart))


@every_chart
def test_every_value_is_in_the_schema(chart: Path) -> None:
    schema = schema_of(chart)

    assert list(unknown(values_of(chart), schema, schema)) == []


@every_chart
def test_every_property_of_the_schema_has_a_default(chart: Path) -> None:
    schema, values = schema_of(chart), values_of(chart)
    for key, section in schema["properties"].items():
        properties = resolve(section, schema).get("properties", {})
        if key not in ("global", "common", "enabled"):
            assert key in values, key
            assert not properties or properties.keys() - {"claims"} <= values[key].keys() | {"claims", "limits"}, key


@every_chart
def test_the_defaults_validate(chart: Path) -> None:
    jsonschema.validate(values_of(chart), schema_of(chart))


@every_chart
def test_every_object_of_the_schema_is_closed(chart: Path) -> None:
    # Kubernetes' own shapes, and the subcharts, which have schemas of their own.
    open_on_purpose = {*(f"/properties/{name}" for name in SUBCHARTS), "/properties/extraEnv/items"}

    for path, section in objects(schema_of(chart)):
        if path not in open_on_purpose:
            assert section.get("additionalProperties") is False, path


@every_chart
def test_every_value_is_described(chart: Path) -> None:
    schema = schema_of(chart)
    for key, section in schema["properties"].items():
        assert section.get("description") or resolve(section, schema).get("description") or key == "enabled", key


@pytest.mark.parametrize("name", MISTAKES)
def test_a_misspelt_value_is_refused_by_name(name: str) -> None:
    values = MISTAKES[name]

    with pytest.raises(RefusedError, match=f"'{name}' not allowed"):
        render(values)


@pytest.mark.parametrize("path", WRONG_KINDS)
def test_a_value_of_the_wrong_kind_is_refused_with_its_path(path: str) -> None:
    values = WRONG_KINDS[path]

    with pytest.raises(RefusedError, match=path):
        render(values)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_renders(example: Path) -> None:
    assert render(example=example).kind("Deployment")


def test_the_kitchen_sink_uses_every_section() -> None:
    used = yaml.safe_load((CHART / "ci" / "everything-values.yaml").read_text())
    elsewhere = {"app", "secretKey", "externalPostgresql", "externalRabbitmq", "externalRedis"}
    elsewhere |= {"podSecurityContext", "securityContext"}

    assert values_of(CHART).keys() - used.keys() == elsewhere


def test_the_readme_tells_the_values_as_they_are() -> None:
    if shutil.which("helm-docs") is None:
        pytest.skip("NO HELM-DOCS HERE: the chart's README may be behind its values")
    options = ("--document-dependency-values", "--skip-version-footer", "--sort-values-order", "file", "--dry-run")

    done = subprocess.run(
        ["helm-docs", "--chart-to-generate", ".", *options], cwd=CHART, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == (CHART / "README.md").read_text().strip(), f"run helm-docs {' '.join(options[:-1])}"
