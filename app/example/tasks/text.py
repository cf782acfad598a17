import re
from collections import Counter
from typing import Any

from celery import shared_task

from example.tasks.errors import BadInput
from example.tasks.storage import read_input
from rowlock import runs

WORDS_A_MINUTE = 230
MOST_COMMON_LIMIT = 100
LINES_A_REPORT = 50_000

_WORD = re.compile("[^\\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\\W_]+)*")
_SENTENCE_END = re.compile(
    "[.!?\N{HORIZONTAL ELLIPSIS}]+(?=[\\s\"'\N{RIGHT DOUBLE QUOTATION MARK})\\]]|$)"
    "|[\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH QUESTION MARK}]+"
)


@shared_task(throws=(BadInput,))
def count_words(file_id: str, top: int = 10) -> dict[str, Any]:
    """Word statistics of an uploaded UTF-8 text."""
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MOST_COMMON_LIMIT:
        raise BadInput(f"top must be a whole number from 1 to {MOST_COMMON_LIMIT}, not {top!r}.")
    text = _text(bytes(read_input(file_id).content))
    lines = text.splitlines()
    counts: Counter[str] = Counter()
    for number, line in enumerate(lines):
        if number % LINES_A_REPORT == 0:
            runs.progress(number, len(lines), f"line {number + 1} of {len(lines)}")
        counts.update(word.casefold() for word in _WORD.findall(line))
    words = counts.total()
    return {
        "characters": len(text),
        "lines": len(lines),
        "words": words,
        "unique": len(counts),
        "sentences": sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part)),
        "longest": max(counts, key=len, default=""),
        "most_common": [{"word": word, "count": count} for word, count in counts.most_common(top)],
        "reading_minutes": round(words / WORDS_A_MINUTE, 1),
    }


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"The file is not UTF-8 text: byte {error.start} cannot be decoded.") from None
    if "\0" in text:
        raise BadInput("The file is not text: it contains zero bytes.")
    return text
