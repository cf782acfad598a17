"""Text of which only the beginning and the end are kept."""

from rowlock.runs.bounded_text import BoundedText


def bounded(limit: int, *pieces: str) -> BoundedText:
    text = BoundedText(limit)
    for piece in pieces:
        text.add(piece)
    return text


def test_what_fits_is_kept_whole() -> None:
    assert bounded(20, "one\n", "two\n").text() == "one\ntwo\n"


def test_of_too_much_the_middle_is_left_out_and_counted() -> None:
    text = bounded(20, *(f"line {number}\n" for number in range(5)))

    assert text.text() == "line 0\n[21 bytes left out]\nline 4\n"
    assert text.cut == 21


def test_a_piece_that_is_too_long_is_cut() -> None:
    text = bounded(20, "x" * 100)

    assert (text.text(), text.cut) == ("[90 bytes left out]\n" + "x" * 10, 90)


def test_bytes_are_counted_and_no_character_is_cut_in_two() -> None:
    assert bounded(10, "é" * 10).text() == "[15 bytes left out]\néé"


def test_what_no_database_takes_is_made_fit() -> None:
    assert bounded(100, "zero\0 and \ud800").text() == "zero\N{REPLACEMENT CHARACTER} and ?"
