"""Text of which only the beginning and the end are kept where it is too long."""

from collections import deque
from collections.abc import Iterable, Iterator


class BoundedText:
    """Takes pieces of text, a line or a part of one each, and keeps `limit` bytes of them, half from either end."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head: list[str] = []
        self._tail: deque[tuple[str, int]] = deque()
        self._head_room = self._half
        self._tail_room = limit - self._half
        #: Bytes that were left out between the two.
        self.cut = 0

    def __bool__(self) -> bool:
        return bool(self._head or self._tail or self.cut)

    def add(self, piece: str) -> None:
        size = len(piece.encode(errors="replace"))
        if size <= self._head_room and not self._tail and not self.cut:
            self._head.append(piece)
            self._head_room -= size
            return
        if size > self._half:
            piece = piece.encode(errors="replace")[: self._half].decode(errors="ignore")
            self.cut += size - self._half
            size = self._half
        self._tail.append((piece, size))
        self._tail_room -= size
        while self._tail_room < 0:
            self._tail_room += self._leave_out()

    def leave_out(self, size: int) -> None:
        """Somebody else has left out `size` bytes here."""
        self.cut += size

    def pieces(self) -> Iterator[str | int]:
        """What is kept, and where something is left out the number of its bytes."""
        yield from self._head
        if self.cut:
            yield self.cut
        for piece, _ in self._tail:
            yield piece

    def text(self) -> str:
        """What is kept, with a line that tells what is not."""
        return text_of(self.pieces())[0]

    def _leave_out(self) -> int:
        _, size = self._tail.popleft()
        self.cut += size
        return size


def text_of(pieces: Iterable[str | int]) -> tuple[str, int]:
    """`pieces` as one text that a database takes, with a line that tells what was left out, and how many bytes were."""
    kept = list(pieces)
    text = "".join(piece if isinstance(piece, str) else f"[{piece:,} bytes left out]\n" for piece in kept)
    # Postgres has no text with a zero byte, and no half of a surrogate pair.
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return text, sum(piece for piece in kept if isinstance(piece, int))
