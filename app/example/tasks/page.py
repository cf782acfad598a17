from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from example.tasks.errors import BadInput

if TYPE_CHECKING:
    import httpx
    from bs4 import BeautifulSoup

LARGEST_PAGE = 2 * 1024 * 1024
MOST_LINKS = 200
MOST_REDIRECTS = 5
SECONDS = 20
CONTENT_TYPES = frozenset({"text/html", "application/xhtml+xml"})
HEADERS = {
    "User-Agent": "rowlock-example/1",
    "Accept": ", ".join(sorted(CONTENT_TYPES)),
    # Compressed, two mebibytes may unfold to gigabytes.
    "Accept-Encoding": "identity",
}


# The soft limit covers what the deadline between reads cannot: slow name servers, and servers that drip bytes.
@shared_task(throws=(BadInput,), soft_time_limit=SECONDS * 2, time_limit=SECONDS * 3)
def fetch(url: str) -> dict[str, Any]:
    """Title and links of a public web page.

    The setting EXAMPLE_PAGE_ALLOW_PRIVATE permits private addresses and all ports, for tests against a local server.
    """
    # Imported in the task: workers of other queues should not pay these packages' memory and start-up.
    import httpx

    from example.tasks.guarded_http import GuardedTransport

    if not isinstance(url, str) or len(url) > 2000 or urlsplit_or_none(url) is None:
        raise BadInput(f"url must be an http or https address, not {str(url)[:200]!r}.")
    transport = GuardedTransport(allow_private=getattr(settings, "EXAMPLE_PAGE_ALLOW_PRIVATE", False))
    try:
        with (
            httpx.Client(
                transport=transport,
                trust_env=False,
                follow_redirects=True,
                max_redirects=MOST_REDIRECTS,
                timeout=httpx.Timeout(5),
                headers=HEADERS,
            ) as client,
            client.stream("GET", url) as response,
        ):
            content = _read(response, time.monotonic() + SECONDS)
        return {"url": str(response.url), **_describe(str(response.url), content, response.charset_encoding)}
    except httpx.TooManyRedirects:
        raise BadInput(f"{url} redirects more than {MOST_REDIRECTS} times.") from None
    except httpx.TimeoutException:
        raise BadInput(f"{url} does not answer in time.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BadInput(f"{url} cannot be fetched: {error}.") from error
    except SoftTimeLimitExceeded:
        raise BadInput(f"{url} takes longer than {SECONDS * 2} seconds.") from None


def urlsplit_or_none(url: str) -> str | None:
    """`url` if it is an http or https address with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _read(response: httpx.Response, deadline: float) -> bytes:
    url = response.url
    if not response.is_success:
        raise BadInput(f"{url} answers {response.status_code} {response.reason_phrase}.")
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in CONTENT_TYPES:
        raise BadInput(f"{url} is not a web page but {content_type or 'of no stated type'}.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BadInput(f"{url} comes compressed, which was not asked for.")
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > LARGEST_PAGE:
            raise BadInput(f"{url} is larger than {LARGEST_PAGE // 1024 // 1024} MiB.")
        if time.monotonic() > deadline:
            raise BadInput(f"{url} takes longer than {SECONDS} seconds.")
    return bytes(content)


def _describe(url: str, content: bytes, charset: str | None) -> dict[str, Any]:
    from bs4 import BeautifulSoup
    from bs4.exceptions import ParserRejectedMarkup
    from bs4.filter import SoupStrainer

    try:
        page = BeautifulSoup(
            content,
            "html.parser",
            from_encoding=charset,
            parse_only=SoupStrainer(["title", "base", "a"]),
        )
    except ParserRejectedMarkup:
        raise BadInput(f"{url} is not HTML that can be read.") from None
    links = _links(url, page)
    return {
        "title": page.title.get_text(" ", strip=True)[:500] if page.title else "",
        "links": links[:MOST_LINKS],
        "links_found": len(links),
    }


def _links(url: str, page: BeautifulSoup) -> list[str]:
    """Absolute addresses of all web pages that `page` links to, each once."""
    first_base = page.find("base", href=True)
    base = _join(url, str(first_base["href"])) if first_base else None
    found = (_join(base or url, str(anchor["href"])) for anchor in page.find_all("a", href=True))
    return list(dict.fromkeys(link for link in found if link))


def _join(base: str, href: str) -> str | None:
    try:
        joined = urldefrag(urljoin(base, href.strip())).url
    except ValueError:
        return None
    return urlsplit_or_none(joined)
