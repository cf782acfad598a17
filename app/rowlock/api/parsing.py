"""Reads bodies: strict JSON, and nothing else."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from rowlock.api.problems import ProblemError
from rowlock.runs.strict_json import read


class StrictParser(Parser):
    """Takes RFC 8259 JSON of type application/json only."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as JSON, with Content-Type: application/json."
            )
        try:
            return read(request.body)
        except ValueError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.", kind="not-json") from None
