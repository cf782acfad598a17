"""The web pods ask RabbitMQ's management API what is in the queues."""

import pytest

from render.chart import Values, render
from render.test_network_policies import may_come, may_go

ELSEWHERE: Values = {
    "rabbitmq": {"enabled": False},
    "externalRabbitmq": {"existingSecret": "oars", "existingSecretManagementKey": "management", "managementPort": 443},
}


def test_web_reaches_the_management_api() -> None:
    rendered = render()
    web, rabbitmq = rendered.pod("web"), rendered.pod("rabbitmq")

    assert may_go(rendered, web, rabbitmq, 15672)
    assert may_come(rendered, web, rabbitmq, 15672)


def test_web_is_told_of_a_management_api_elsewhere_and_reaches_its_port() -> None:
    rendered = render(ELSEWHERE)

    variable = rendered.pod("web").env["RABBITMQ_MANAGEMENT_URL"]
    [policy] = [found for found in rendered.kind("NetworkPolicy") if found["metadata"]["name"] == "rowlock-web"]

    assert variable["valueFrom"]["secretKeyRef"] == {"name": "oars", "key": "management"}
    assert {"ports": [{"protocol": "TCP", "port": 443}]} in policy["spec"]["egress"]


@pytest.mark.parametrize(("component", "pool"), [("worker", "default"), ("beat", None)])
def test_nobody_else_of_the_application_is_told_or_let_through(component: str, pool: str | None) -> None:
    rendered = render(ELSEWHERE)
    inside = render()

    assert "RABBITMQ_MANAGEMENT_URL" not in rendered.pod(component, pool).env
    assert not may_go(inside, inside.pod(component, pool), inside.pod("rabbitmq"), 15672)


def test_a_project_without_rowlock_has_no_use_for_it() -> None:
    app: Values = {"app": {"rowlock": False}, "image": {"repository": "shop", "tag": "2"}}
    rendered = render(app)

    assert "RABBITMQ_MANAGEMENT_URL" not in render({**app, **ELSEWHERE}).pod("web").env
    assert not may_go(rendered, rendered.pod("web"), rendered.pod("rabbitmq"), 15672)
