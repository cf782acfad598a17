"""Reading what a process tells at /metrics, as Prometheus does."""

import urllib.request
from collections.abc import Iterator

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

OPENMETRICS = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4"


def scrape(port: int) -> list[Sample]:
    """All samples of the process whose health port this is, with their exemplars."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": OPENMETRICS})
    with urllib.request.urlopen(request, timeout=10) as response:
        content_type, text = response.headers["Content-Type"], response.read().decode()
    assert content_type.startswith("application/openmetrics-text"), content_type
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return [sample for family in families for sample in family.samples]


def matching(samples: list[Sample], name: str, **labels: str) -> Iterator[Sample]:
    """The samples of that name that have at least these labels."""
    return (sample for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def value(samples: list[Sample], name: str, **labels: str) -> float:
    """The sum over all samples of that name and these labels; 0 where there are none."""
    return sum(sample.value for sample in matching(samples, name, **labels))
