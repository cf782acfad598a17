"""Results as the history keeps them."""

import json
from typing import Any

from rowlock.conf import settings

# json.dumps makes one for each text.
_json_of = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def encoded(value: Any) -> tuple[str | None, str]:
    """JSON of a result, or None and the reason why the history cannot have it."""
    try:
        text = _json_of(value)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        return None, f"The result is not JSON: {error}."[:255]
    limit = settings().result_limit
    if size > limit:
        return None, f"The result is {size:,} bytes of JSON; {limit:,} are kept (ROWLOCK['RESULT_LIMIT'])."
    return text, ""
