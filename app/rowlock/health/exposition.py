"""What is answered at /metrics."""

import os

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector


def exposition(accept: str) -> tuple[str, bytes]:
    """The content type and text of all metrics, in the format that the scraper accepts; exemplars are in OpenMetrics.

    Several processes behind one port (PROMETHEUS_MULTIPROC_DIR) answer for each other, by prometheus_client's files.
    """
    encode, content_type = choose_encoder(accept)
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return content_type, encode(registry)
