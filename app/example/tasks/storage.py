"""What tasks read and write: stored files."""

from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from celery import Task

from example.files import FileReference, parse_id, reference
from example.models import StoredFile
from example.tasks.errors import BadInput


def read_input(file_id: object) -> StoredFile:
    parsed = parse_id(file_id)
    if parsed is None:
        raise BadInput(f"{file_id!r} is not the id of a file; upload one with POST /files/ and use its id.")
    try:
        return StoredFile.objects.get(id=parsed)
    except StoredFile.DoesNotExist:
        raise BadInput(f"There is no file {parsed}; files are deleted after a week.") from None


def write_output(task: Task, name: str, content: bytes, content_type: str) -> FileReference:
    """Store what the running `task` made.

    A task that is delivered twice replaces its output rather than doubling it.
    """
    file, _ = StoredFile.objects.update_or_create(
        id=id_for(task, name),
        defaults={"name": name, "content_type": content_type, "content": content, "size": len(content)},
    )
    return reference(file)


def id_for(task: Task, name: str) -> UUID:
    """The same id for the same task and name, however often the task is delivered."""
    return uuid5(NAMESPACE_OID, f"{task.request.id}/{name}") if task.request.id else uuid4()
