"""Files in the database, and how results and answers refer to them."""

import re
from typing import Any, TypedDict
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from example.models import StoredFile

OCTET_STREAM = "application/octet-stream"
_CONTENT_TYPE = re.compile(r"[a-z0-9][\w.+-]*/[a-z0-9][\w.+-]*", re.ASCII | re.IGNORECASE)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


class FileReference(TypedDict):
    """A stored file as results and answers name it."""

    id: str
    name: str
    url: str
    size: int


def reference(file: StoredFile) -> FileReference:
    return {"id": str(file.id), "name": file.name, "url": file.get_absolute_url(), "size": file.size}


def save_upload(upload: "UploadedFile[Any]") -> StoredFile:
    content = upload.read()
    return StoredFile.objects.create(
        name=clean_name(upload.name or ""),
        content_type=clean_content_type(upload.content_type or ""),
        content=content,
        size=len(content),
    )


def clean_name(name: str) -> str:
    return _CONTROL_CHARACTERS.sub("", name).strip()[-200:] or "unnamed"


def clean_content_type(content_type: str) -> str:
    short_enough = len(content_type) <= 100
    return content_type.lower() if short_enough and _CONTENT_TYPE.fullmatch(content_type) else OCTET_STREAM


def parse_id(value: object) -> UUID | None:
    """The id in its canonical spelling, None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        parsed = UUID(value)
    except ValueError:
        return None
    return parsed if str(parsed) == value.lower() else None
