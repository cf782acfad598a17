"""The first step of reading a query: where words begin and end, what is quoted, and what a qualifier is."""

import re
from dataclasses import dataclass

from rowlock.runs.errors import QueryError

_QUALIFIER = re.compile(r"([A-Za-z][A-Za-z_-]*):")
_ESCAPABLE = ('"', "\\")


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word of a query: `values` has those between its commas, or the text itself when it has no qualifier."""

    source: str
    negated: bool
    qualifier: str | None
    values: tuple[str, ...]


def split(text: str) -> list[Word]:
    """The words of `text`; raises QueryError on an open quote and on a word with nothing in it."""
    words: list[Word] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        word, position = _word_at(text, position)
        words.append(word)
    return words


def _word_at(text: str, start: int) -> tuple[Word, int]:
    negated = text[start] == "-"
    begin = start + negated
    match = _QUALIFIER.match(text, begin)
    values, end = _values_at(text, match.end() if match else begin, commas=match is not None)
    source = text[start:end]
    if match is None and not values[0].strip():
        raise QueryError(f"{source} has nothing to look for; write a word, or nothing at all.")
    qualifier = match[1].lower().replace("_", "-") if match else None
    return Word(source=source, negated=negated, qualifier=qualifier, values=values), end


def _values_at(text: str, start: int, *, commas: bool) -> tuple[tuple[str, ...], int]:
    values = [""]
    position = start
    while position < len(text) and not text[position].isspace():
        character = text[position]
        if character == '"':
            quoted, position = _quoted_at(text, position)
            values[-1] += quoted
            continue
        if character == "," and commas:
            values.append("")
        else:
            values[-1] += character
        position += 1
    return tuple(values), position


def _quoted_at(text: str, start: int) -> tuple[str, int]:
    quoted = ""
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == '"':
            return quoted, position + 1
        if character == "\\" and text[position + 1 : position + 2] in _ESCAPABLE:
            position += 1
            character = text[position]
        quoted += character
        position += 1
    raise QueryError(f'The quote that opens at {text[start : start + 20]} is never closed; add a ".')
