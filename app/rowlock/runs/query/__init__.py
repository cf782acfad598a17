"""The one query language of lists, in URLs, on the command line and on the page; docs/queries.md tells it to people."""

from rowlock.runs.query.query import Query, parse

__all__ = ["Query", "parse"]
