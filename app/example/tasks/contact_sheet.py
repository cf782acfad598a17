from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MARGIN = 16
CAPTION_HEIGHT = 22
WIDEST = 1600


def contact_sheet(images: Sequence[Image.Image]) -> Image.Image:
    """All `images` in rows on white, each with its size below."""
    # Imported in the task: workers of other queues should not pay Pillow's memory and start-up.
    from PIL import Image, ImageDraw, ImageFont

    rows = list(_rows(images))
    width = max(_width(row) for row in rows)
    height = MARGIN + sum(_height(row) for row in rows)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    top = MARGIN
    for row in rows:
        left = MARGIN
        for image in row:
            sheet.paste(image, (left, top), image if image.mode == "RGBA" else None)
            draw.text((left, top + image.height + 4), f"{image.width} x {image.height}", "#333333", font)
            left += _column(image) + MARGIN
        top += _height(row)
    return sheet


def _rows(images: Sequence[Image.Image]) -> Iterator[list[Image.Image]]:
    row: list[Image.Image] = []
    for image in images:
        if row and _width([*row, image]) > WIDEST:
            yield row
            row = []
        row.append(image)
    yield row


def _column(image: Image.Image) -> int:
    # Wide enough for the caption of the narrowest picture.
    return max(image.width, 80)


def _width(row: Sequence[Image.Image]) -> int:
    return MARGIN + sum(_column(image) + MARGIN for image in row)


def _height(row: Sequence[Image.Image]) -> int:
    return max(image.height for image in row) + CAPTION_HEIGHT + MARGIN
