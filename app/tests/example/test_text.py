from typing import Any

import pytest

from example.tasks.errors import BadInput
from example.tasks.text import count_words
from tests.example.conftest import Run, StoreFile


def test_words_and_sentences_are_counted(run: Run, store: StoreFile) -> None:
    result = run(count_words, store(b"The cat sat. The dog didn't!\nWhy (the dog?) Nobody knows"), top=2)

    assert result == {
        "characters": 56,
        "lines": 2,
        "words": 11,
        "unique": 8,
        "sentences": 4,
        "longest": "didn't",
        "most_common": [{"word": "the", "count": 3}, {"word": "dog", "count": 2}],
        "reading_minutes": 0.0,
    }


@pytest.mark.parametrize(
    ("text", "words", "sentences"),
    [
        ("", 0, 0),
        ("... !?", 0, 0),
        ("one", 1, 1),
        ("pi is 3.14 exactly", 5, 1),
        ("Straße Ünïcode naïve", 3, 1),
        ('He said "no." Then left.', 5, 2),
        ("\ufeffwith a mark", 3, 1),
    ],
)
def test_words_of_all_kinds_are_found(run: Run, store: StoreFile, text: str, words: int, sentences: int) -> None:
    result = run(count_words, store(text.encode()))

    assert (result["words"], result["sentences"]) == (words, sentences)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe\x00", "byte 0 cannot be decoded"), (b"a\0b", "zero bytes")]
)
def test_what_is_no_text_is_refused(run: Run, store: StoreFile, content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(count_words, store(content))


@pytest.mark.parametrize("top", [0, 101, "3", None, 2.5, True])
def test_top_out_of_bounds_is_refused(run: Run, store: StoreFile, top: Any) -> None:
    with pytest.raises(BadInput, match="top must be a whole number from 1 to 100"):
        run(count_words, store(b"text"), top=top)
