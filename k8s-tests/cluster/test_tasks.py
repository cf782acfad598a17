"""A task of each kind, submitted over HTTP through the Service, finishes with the right result."""

import io
import re
from typing import Any

import pytest
from PIL import Image

from cluster.harness.release import Release, restarts
from cluster.harness.shell import eventually
from cluster.harness.web import Web

NO_FILE = "6c1f3c44-9c3b-4f54-b4b9-0d7c2b0b8f35"


def test_add_without_a_body_is_two_and_three(web: Web) -> None:
    answer = web.client.post("/start_task/")

    ended = web.wait(answer.json()["task_id"])

    assert answer.status_code == 202
    assert (ended["status"], ended["result"]) == ("SUCCESS", 5)


def test_debug_task_tells_that_it_ran_in_the_pool_of_its_queue(web: Web) -> None:
    result = web.do("example.tasks.basic.debug_task")

    assert result["queue"] == "celery"
    assert result["worker"].startswith("default@"), result


def test_the_feedback_form_sends_a_confirmation(release: Release, web: Web) -> None:
    form = web.client.get("/feedback/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    assert token, f"no form at /feedback/: {form.status_code} {form.text[:500]}"
    fields = {"csrfmiddlewaretoken": token[1], **_filled_in(form.text)}

    sent = web.client.post("/feedback/", data=fields)

    assert sent.status_code in (200, 302), sent.text[:500]
    _mail_appears(release, "reader@example.com", "through the form")


def test_an_email_is_sent(release: Release, web: Web) -> None:
    result = web.do("example.tasks.email.send_confirmation", "somebody@example.com", "by a task of its own")

    assert result == {"sent_to": "somebody@example.com"}
    _mail_appears(release, "somebody@example.com", "by a task of its own")


def test_a_picture_gets_thumbnails_and_a_contact_sheet(web: Web) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(picture, "PNG")
    file_id = web.upload("picture.png", picture.getvalue())

    result = web.do("example.tasks.image.make_thumbnails", file_id, sizes=[64, 128])

    sizes = [Image.open(io.BytesIO(web.download(made["id"]))).size for made in result["thumbnails"]]
    assert sizes == [(64, 48), (128, 96)]
    assert Image.open(io.BytesIO(web.download(result["contact_sheet"]["id"]))).format == "PNG"


def test_the_words_of_a_text_are_counted(web: Web) -> None:
    file_id = web.upload("text.txt", b"Row, row, row your boat.")

    result = web.do("example.tasks.text.count_words", file_id, top=1)

    assert result["words"] == 5
    assert result["most_common"] == [{"word": "row", "count": 3}]


@pytest.mark.parametrize(("format_", "magic"), [("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_table_becomes_a_report(web: Web, format_: str, magic: bytes) -> None:
    file_id = web.upload("table.csv", b"crew,seconds\nred,361.5\nblue,358.5\n")

    result = web.do("example.tasks.report.summarise", file_id, format=format_)

    assert [(column["name"], column["mean"]) for column in result["summary"]] == [("seconds", 360.0)]
    assert web.download(result["report"]["id"]).startswith(magic)


def test_a_page_inside_the_cluster_is_not_fetched(release: Release, web: Web) -> None:
    said = web.failure("example.tasks.page.fetch", f"http://{release.fullname}-web/")

    assert said.startswith("BadInput: "), said
    assert "not a public address" in said


def test_a_model_is_trained_and_predicts(web: Web) -> None:
    trained = web.do("example.tasks.model.train", folds=3)
    first_wine = [14.23, 1.71, 2.43, 15.6, 127.0, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065.0]

    predicted = web.do("example.tasks.model.predict", trained["model"]["id"], [first_wine])

    assert trained["mean_accuracy"] > 0.9
    assert [prediction["class"] for prediction in predicted["predictions"]] == ["class_0"]


@pytest.mark.parametrize(
    ("task", "args", "says"),
    [
        ("basic.add", ["two", 3], "x must be a number"),
        ("email.send_confirmation", ["nobody", "hello"], "'nobody' is not an email address"),
        ("image.make_thumbnails", [NO_FILE], f"There is no file {NO_FILE}"),
        ("text.count_words", ["../etc/passwd"], "is not the id of a file"),
        ("report.summarise", [NO_FILE, "docx"], "format must be pdf or png"),
        ("page.fetch", ["gopher://example.com/"], "url must be an http or https address"),
        ("model.train", [1], "folds must be a whole number from 2 to 20"),
        ("model.predict", [NO_FILE, [[1.0]]], f"There is no file {NO_FILE}"),
    ],
)
def test_bad_input_is_a_failure_that_says_what_is_wrong(web: Web, task: str, args: list[Any], says: str) -> None:
    said = web.failure(f"example.tasks.{task}", *args)

    assert said.startswith("BadInput: "), said
    assert says in said


def test_a_picture_that_is_none_fails_without_hurting_the_worker(release: Release, web: Web) -> None:
    file_id = web.upload("picture.png", b"\x89PNG\r\n\x1a\n and then nothing")

    said = web.failure("example.tasks.image.make_thumbnails", file_id)

    assert said.startswith("BadInput: "), said
    workers = release.pods("worker")
    assert workers, "no worker is left"
    for pod in workers:
        assert restarts(pod) == 0, f"{pod['metadata']['name']} has restarted"


def test_an_unknown_task_is_refused_by_name(web: Web) -> None:
    answer = web.client.post("/start_task/", json={"task": "example.tasks.basic.ad"})

    assert answer.status_code in (400, 404, 422), answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert "example.tasks.basic.ad" in answer.json()["detail"]


def _filled_in(form: str) -> dict[str, str]:
    """A value for each field that people fill in, whatever the form calls it."""
    values = {}
    for tag in re.findall(r"<(?:input|textarea)\b[^>]*>", form):
        name = re.search(r'name="(\w+)"', tag)
        if name and name[1] != "csrfmiddlewaretoken":
            values[name[1]] = "reader@example.com" if 'type="email"' in tag else "through the form"
    return values


def _mail_appears(release: Release, address: str, message: str) -> None:
    """The console backend writes mails into the log of the worker."""

    def sent() -> bool:
        log = release.namespace.logs(f"deployment/{release.fullname}-worker-default")
        return f"To: {address}" in log and message in log

    eventually(sent, within=60, what=f"a mail to {address} in the worker's log")
