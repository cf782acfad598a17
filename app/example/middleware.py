from typing import Any

from django.http import HttpRequest
from django_prometheus.middleware import PrometheusAfterMiddleware


class RequestMetrics(PrometheusAfterMiddleware):
    """Requests counted and timed by view.

    A client may invent methods, and django-prometheus 2.5 makes a series of each in one of its histograms.
    """

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: Any) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
