from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt

from example.files import OCTET_STREAM, parse_id, reference, save_upload
from example.models import StoredFile
from example.problems import only, problem

#: What browsers show without running anything in it.
SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "application/pdf"})
#: What a multipart body needs beside the file itself.
ENVELOPE = 64 * 1024


# There is no session to misuse here: anybody may upload, and only who knows the id can fetch.
@csrf_exempt
@only("POST")
def upload(request: HttpRequest) -> HttpResponse:
    """Store the file in the multipart field `file`."""
    limit: int = settings.UPLOAD_LIMIT
    too_large = f"The file is larger than {limit:,} bytes."
    # Before the body is parsed, for parsing writes it to disk.
    if _announced_length(request) > limit + ENVELOPE:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
    try:
        file = request.FILES.get("file")
    except MultiPartParserError as error:
        return problem(HTTPStatus.BAD_REQUEST, f"The body is not multipart/form-data: {error}")
    if file is None or isinstance(file, list):
        return problem(HTTPStatus.BAD_REQUEST, "Send a file in the multipart/form-data field named file.")
    if (file.size or 0) > limit:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
    answer = reference(save_upload(file))
    return JsonResponse(answer, status=HTTPStatus.CREATED, headers={"Location": answer["url"]})


@only("GET", "HEAD")
def download(request: HttpRequest, file_id: str) -> HttpResponse:
    parsed = parse_id(file_id)
    file = StoredFile.objects.filter(id=parsed).first() if parsed else None
    if file is None:
        return problem(HTTPStatus.NOT_FOUND, "There is no such file; files are deleted after a week.")
    inline = file.content_type in SHOWN_INLINE
    disposition = content_disposition_header(not inline, file.name)
    return HttpResponse(
        bytes(file.content),
        content_type=file.content_type or OCTET_STREAM,
        headers={
            "Content-Disposition": disposition or "inline",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private",
        },
    )


def _announced_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0
