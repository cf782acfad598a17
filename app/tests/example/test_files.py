"""POST /files/ and GET /files/<id>/"""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from example.models import StoredFile, Tick
from example.tasks.files import delete_old
from tests.example.conftest import Run, StoreFile

pytestmark = pytest.mark.django_db


def upload(client: Client, content: bytes, name: str = "a.txt", content_type: str = "text/plain") -> StoredFile:
    response = client.post("/files/", {"file": SimpleUploadedFile(name, content, content_type)})
    assert response.status_code == 201, response.content
    return StoredFile.objects.get(id=response.json()["id"])


def test_an_upload_is_stored_and_answered_with_its_reference(client: Client) -> None:
    response = client.post("/files/", {"file": SimpleUploadedFile("notes.txt", b"hello", "text/plain")})

    file = StoredFile.objects.get()
    assert response.status_code == 201
    assert response.json() == {"id": str(file.id), "name": "notes.txt", "url": f"/files/{file.id}/", "size": 5}
    assert response.headers["Location"] == f"/files/{file.id}/"


def test_what_was_uploaded_comes_back(client: Client) -> None:
    content = bytes(range(256))
    file = upload(client, content)

    response = client.get(file.get_absolute_url())

    assert (response.status_code, response.content) == (200, content)


def test_an_upload_needs_no_csrf_token() -> None:
    upload(Client(enforce_csrf_checks=True), b"hello")


def test_a_file_of_just_the_limit_is_taken(client: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT = 1000

    assert upload(client, b"x" * 1000).size == 1000


@pytest.mark.parametrize("size", [1001, 100_000])
def test_a_file_over_the_limit_is_refused(client: Client, settings: Settings, size: int) -> None:
    settings.UPLOAD_LIMIT = 1000

    response = client.post("/files/", {"file": SimpleUploadedFile("a", b"x" * size)})

    assert response.status_code == 413
    assert "larger than 1,000 bytes" in response.json()["detail"]
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"other": "x"}, {"file": "a value, not a file"}])
def test_without_a_file_the_field_is_named(client: Client, fields: dict[str, str]) -> None:
    response = client.post("/files/", fields)

    assert response.status_code == 400
    assert "field named file" in response.json()["detail"]


def test_a_broken_multipart_body_is_refused(client: Client) -> None:
    response = client.post("/files/", b"x", content_type="multipart/form-data")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("file_id", ["1", "00000000-0000-0000-0000-000000000000", "..%2f..%2fetc"])
def test_there_is_no_file_by_another_id(client: Client, file_id: str) -> None:
    response = client.get(f"/files/{file_id}/")

    assert response.status_code == 404


@pytest.mark.parametrize(
    ("content_type", "disposition"),
    [
        ("image/png", "inline"),
        ("image/jpeg", "inline"),
        ("application/pdf", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("text/plain", "attachment"),
    ],
)
def test_only_harmless_types_open_in_the_browser(client: Client, content_type: str, disposition: str) -> None:
    file = upload(client, b"<script>", "a.bin", content_type)

    response = client.get(file.get_absolute_url())

    assert response.headers["Content-Disposition"] == f'{disposition}; filename="a.bin"'
    assert response.headers["Content-Type"] == content_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_type_that_is_none_becomes_bytes(client: Client) -> None:
    assert upload(client, b"x", content_type="nonsense").content_type == "application/octet-stream"


def test_a_name_in_any_script_survives(client: Client) -> None:
    file = upload(client, b"x", "Übersicht 日本.txt")

    response = client.get(file.get_absolute_url())

    assert file.name == "Übersicht 日本.txt"
    assert "filename*=utf-8''%C3%9Cbersicht" in response.headers["Content-Disposition"]


def test_the_admin_lists_files_without_reading_them(admin_client: Client, store: StoreFile) -> None:
    store(b"secret bytes", name="listed.txt")

    with CaptureQueriesContext(connection) as queries:
        response = admin_client.get("/admin/example/storedfile/")

    assert "listed.txt" in response.content.decode()
    assert not [query["sql"] for query in queries.captured_queries if '"content"' in query["sql"]]


def test_old_files_and_ticks_are_deleted_and_new_ones_kept(run: Run, store: StoreFile) -> None:
    old, new = store(b"old"), store(b"new")
    StoredFile.objects.filter(id=old).update(created=timezone.now() - timedelta(days=8))
    Tick.objects.create(at=timezone.now() - timedelta(days=2))
    kept = Tick.objects.create()

    result = run(delete_old)

    assert result == {"files": 1, "ticks": 1}
    assert [str(file.id) for file in StoredFile.objects.all()] == [new]
    assert list(Tick.objects.all()) == [kept]


def test_more_old_files_than_a_batch_are_deleted(run: Run, store: StoreFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("example.tasks.files.BATCH", 2)
    for _ in range(5):
        store(b"old")
    StoredFile.objects.update(created=timezone.now() - timedelta(days=8))

    assert run(delete_old)["files"] == 5
