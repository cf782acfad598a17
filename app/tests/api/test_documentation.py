"""The OpenAPI document and its page."""

import re
from typing import Any

import jsonschema
import pytest
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django import Settings

from rowlock.api.run_schemas import RunDetail, RunSummary
from rowlock.models import State
from rowlock.runs.presentation import detail, summary
from tests.api.conftest import ApiClient, MakeRun


@pytest.fixture
def document(anna: ApiClient) -> Any:
    return anna.ask("openapi.json")


def assert_documented(document: Any, answer: object, path: str, method: str = "get", status: str = "200") -> None:
    content = document["paths"][path][method]["responses"][status]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.validate(answer, schema, format_checker=jsonschema.FormatChecker())


def test_every_operation_is_in_the_document_with_its_problems(document: Any) -> None:
    operations = {f"{method} {path}" for path, methods in document["paths"].items() for method in methods}

    assert operations == {
        "get /api/runs/",
        "post /api/runs/",
        "post /api/runs/batch",
        "post /api/runs/cancel",
        "post /api/runs/retry",
        "get /api/runs/{id}",
        "get /api/runs/{id}/progress",
        "get /api/runs/{id}/result",
        "get /api/runs/{id}/log",
        "post /api/runs/{id}/retry",
        "post /api/runs/{id}/cancel",
        "get /api/tasks/",
        "get /api/tasks/{name}",
        "get /api/queues/",
        "post /api/queues/{name}/pause",
        "post /api/queues/{name}/resume",
        "post /api/queues/{name}/purge",
        "get /api/dead_letters/",
        "post /api/dead_letters/retry",
        "post /api/dead_letters/drop",
        "get /api/workers/",
        "get /api/audit/",
        "get /api/schedules/",
        "post /api/schedules/",
        "get /api/schedules/{id}",
        "patch /api/schedules/{id}",
        "delete /api/schedules/{id}",
        "post /api/schedules/{id}/run",
        "post /api/schedules/{id}/enable",
        "post /api/schedules/{id}/disable",
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"], operation["operationId"]
            assert operation["security"], operation["operationId"]
            assert operation["description"], operation["operationId"]


def test_all_references_in_the_document_lead_somewhere(document: Any) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))

    assert names <= set(document["components"]["schemas"])


def test_summaries_and_details_are_documented_whole(make_run: MakeRun) -> None:
    run = make_run()

    assert set(summary(run)) == set(RunSummary.model_fields)
    assert set(detail(run)) == set(RunDetail.model_fields)


def test_answers_are_as_the_document_says(document: Any, operator: ApiClient, make_run: MakeRun) -> None:
    run = make_run(
        state=State.FAILED, error_type="ValueError", progress_done=1, finished=timezone.now(), due=timezone.now()
    )
    path = f"runs/{run.id}"

    assert_documented(document, operator.ask("runs/"), "/api/runs/")
    assert_documented(document, operator.ask(path), "/api/runs/{id}")
    assert_documented(document, operator.ask(f"{path}/progress"), "/api/runs/{id}/progress")
    assert_documented(document, operator.ask(f"{path}/result"), "/api/runs/{id}/result")
    assert_documented(document, operator.ask("tasks/"), "/api/tasks/")
    assert_documented(document, operator.ask("queues/"), "/api/queues/")


def test_the_page_and_the_document_need_a_login_only(anna: ApiClient) -> None:
    assert anna.get("/api/docs").status_code == 200


def test_the_page_loads_nothing_from_other_sites(anna: ApiClient) -> None:
    html = anna.get("/api/docs").content.decode()

    loaded = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(loaded) == 5
    for address in loaded:
        assert address.startswith("/static/ninja/"), address
        assert finders.find(address.removeprefix("/static/")), address
    assert '"validatorUrl": null' in html


def test_without_its_app_the_page_says_what_to_add(anna: ApiClient, settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "ninja"]

    response = anna.send("GET", "docs")

    assert response.status_code == 501
    assert "Add 'ninja' to INSTALLED_APPS" in response.json()["detail"]


def test_the_checks_ask_for_the_app(settings: Settings) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "ninja"]

    assert [message.id for message in run_checks(tags=["rowlock"])] == ["rowlock.W001"]


def test_the_checks_are_content_with_the_app() -> None:
    assert run_checks(tags=["rowlock"]) == []
