"""What the application's containers get to know."""

import pytest

from render.chart import CHART, RefusedError, Rendered, Values, render

EXTERNAL = {
    "postgresql": ("externalPostgresql", "DATABASE_URL", "postgres://oars:pull-together@db.example.com:6432/oars"),
    "rabbitmq": ("externalRabbitmq", "BROKER_URL", "amqp://oars:pull-together@mq.example.com:5672/oars"),
    "redis": ("externalRedis", "REDIS_URL", "redis://:pull-together@cache.example.com:6379/0"),
}
APPLICATION = ("web", "beat", "migrate", "collector", "test")

every_service = pytest.mark.parametrize("service", EXTERNAL)


def config(values: Values | None = None) -> dict[str, str]:
    data: dict[str, str] = render(values).one("ConfigMap", "rowlock-config")["data"]
    return data


def replaced(service: str, **external: str) -> Rendered:
    return render({service: {"enabled": False}, EXTERNAL[service][0]: external})


def test_the_urls_are_put_together_by_the_kubelet() -> None:
    env = render().pod("web").env

    assert env["DATABASE_URL"]["value"] == "postgres://rowlock:$(POSTGRESQL_PASSWORD)@rowlock-postgresql:5432/rowlock"
    assert env["BROKER_URL"]["value"] == "amqp://rowlock:$(RABBITMQ_PASSWORD)@rowlock-rabbitmq:5672/rowlock"
    assert env["REDIS_URL"]["value"] == "redis://:$(REDIS_PASSWORD)@rowlock-redis:6379/0"


def test_a_password_is_known_before_the_url_that_it_is_in() -> None:
    names = list(render().pod("web").env)

    for name in ("POSTGRESQL", "RABBITMQ", "REDIS"):
        url = EXTERNAL[name.lower()][1]
        assert names.index(f"{name}_PASSWORD") < names.index(url)


def test_a_virtual_host_with_a_slash_is_quoted() -> None:
    env = render({"rabbitmq": {"auth": {"vhost": "/"}}}).pod("web").env

    assert env["BROKER_URL"]["value"].endswith(":5672/%2F")


def test_every_component_gets_the_same_environment() -> None:
    rendered = render()
    web = rendered.pod("web")
    for component in APPLICATION:
        pod = rendered.pod(component)
        assert web.env.items() <= pod.env.items(), component
        for container in pod.containers:
            assert container["envFrom"] == [{"configMapRef": {"name": "rowlock-config"}}], component


@every_service
def test_an_external_url_is_in_a_secret_and_in_no_pod(service: str) -> None:
    external, variable, url = EXTERNAL[service]
    rendered = replaced(service, url=url)

    secret = rendered.one("Secret", "rowlock-external")
    reference = rendered.pod("web").env[variable]["valueFrom"]["secretKeyRef"]

    assert secret["stringData"] == {f"{service}-url": url}
    assert reference == {"name": "rowlock-external", "key": f"{service}-url"}
    assert rendered.text.count("pull-together") == 1, f"{external}.url is rendered outside of its Secret"


@every_service
def test_an_external_url_can_come_from_an_existing_secret(service: str) -> None:
    rendered = replaced(service, existingSecret="oars", existingSecretKey="uri")

    reference = rendered.pod("web").env[EXTERNAL[service][1]]["valueFrom"]["secretKeyRef"]

    assert reference == {"name": "oars", "key": "uri"}
    assert not rendered.kind("Secret")


@every_service
def test_a_changed_external_url_replaces_the_pods(service: str) -> None:
    url = EXTERNAL[service][2]

    before, after = (replaced(service, url=one).pod("web") for one in (url, url + "2"))

    assert before.annotations["checksum/external"] != after.annotations["checksum/external"]


@every_service
def test_a_service_that_is_off_needs_another_in_its_place(service: str) -> None:
    external = EXTERNAL[service][0]

    with pytest.raises(
        RefusedError, match=rf"{service}\.enabled is false.*set {external}\.url, or {external}\.existing"
    ):
        render({service: {"enabled": False}})


@every_service
def test_two_of_the_same_service_are_refused(service: str) -> None:
    external, _, url = EXTERNAL[service]

    with pytest.raises(RefusedError, match=rf"set {service}\.enabled to false"):
        render({external: {"url": url}})


@every_service
def test_a_service_that_is_off_leaves_nothing_behind(service: str) -> None:
    rendered = replaced(service, url=EXTERNAL[service][2])

    names = [found["metadata"]["name"] for found in rendered.objects]

    assert not [name for name in names if name.startswith(f"rowlock-{service}")]


def test_settings_are_plain_text_in_the_config_map() -> None:
    data = config({"env": {"UPLOAD_LIMIT_MB": 25, "RESULT_EXPIRES": 8640000, "DEBUG": False, "TIME_ZONE": "UTC"}})

    assert data["UPLOAD_LIMIT_MB"] == "25"
    assert data["RESULT_EXPIRES"] == "8640000"
    assert data["DEBUG"] == "false"
    assert data["TIME_ZONE"] == "UTC"
    assert data["DJANGO_SETTINGS_MODULE"] == "example.settings"


def test_a_changed_setting_replaces_the_pods() -> None:
    before, after = (render({"env": {"TIME_ZONE": zone}}).pod("web") for zone in ("UTC", "Europe/Vienna"))

    assert before.annotations["checksum/config"] != after.annotations["checksum/config"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "BROKER_URL", "REDIS_URL"])
def test_a_setting_that_would_have_no_effect_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match=rf"env\.{name} has no effect"):
        render({"env": {name: "x"}})


def test_extra_variables_come_last_so_that_ours_expand_in_them() -> None:
    env = render({"extraEnv": [{"name": "CELERY_BROKER_URL", "value": "$(BROKER_URL)"}]}).pod("worker", "default").env

    assert list(env)[-1] == "CELERY_BROKER_URL"


def test_an_extra_variable_replaces_ours_of_the_same_name() -> None:
    env = render({"extraEnv": [{"name": "REDIS_URL", "value": "redis://elsewhere"}]}).pod("web").env

    assert env["REDIS_URL"] == {"name": "REDIS_URL", "value": "redis://elsewhere"}


def test_the_service_and_the_own_pod_are_allowed_hosts() -> None:
    names = "rowlock-web,rowlock-web.demo,rowlock-web.demo.svc,rowlock-web.demo.svc.cluster.local,localhost,127.0.0.1"

    assert config()["ALLOWED_HOSTS"] == names
    assert config()["CSRF_TRUSTED_ORIGINS"] == ""


def test_public_names_are_allowed_hosts_and_trusted_origins() -> None:
    web = {
        "ingress": {"enabled": True, "hosts": ["oars.example.com", "*.oars.example.com"]},
        "httpRoute": {"enabled": True, "hostnames": ["oars.example.org"], "parentRefs": [{"name": "gateway"}]},
        "allowedHosts": ["oars.internal"],
        "https": True,
    }

    data = config({"web": web})

    assert data["ALLOWED_HOSTS"].endswith("127.0.0.1,oars.example.com,.oars.example.com,oars.example.org,oars.internal")
    assert (
        data["CSRF_TRUSTED_ORIGINS"] == "https://oars.example.com,https://*.oars.example.com,https://oars.example.org"
    )
    assert data["HTTPS"] == "true"


def test_without_https_forms_are_taken_over_both() -> None:
    data = config({"web": {"ingress": {"enabled": True, "hosts": ["oars.example.com"]}}})

    assert data["CSRF_TRUSTED_ORIGINS"] == "https://oars.example.com,http://oars.example.com"
    assert data["HTTPS"] == "false"


@pytest.mark.parametrize(
    ("web", "message"),
    [
        ({"ingress": {"enabled": True}}, r"set web\.ingress\.hosts"),
        ({"httpRoute": {"enabled": True, "hostnames": ["a.b"]}}, r"web\.httpRoute\.parentRefs"),
    ],
)
def test_a_route_without_a_host_is_refused(web: Values, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        render({"web": web})


def test_no_password_is_in_what_is_rendered() -> None:
    text = "".join(render(example=path).text for path in sorted((CHART / "ci").glob("*-values.yaml")))

    assert "$(POSTGRESQL_PASSWORD)@" in text
    assert text.count("pull-together") == 1
