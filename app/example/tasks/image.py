from __future__ import annotations

import io
import struct
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from celery import Task, shared_task

from example.tasks.contact_sheet import contact_sheet
from example.tasks.errors import BadInput
from example.tasks.storage import read_input, write_output
from rowlock import runs

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
MOST_PIXELS = 40_000_000
SMALLEST, LARGEST, MOST_SIZES = 16, 1024, 8


@shared_task(bind=True, throws=(BadInput,))
def make_thumbnails(self: Task, file_id: str, sizes: tuple[int, ...] | list[int] = (128, 256)) -> dict[str, Any]:
    """Thumbnails of an uploaded picture that fit squares of `sizes` pixels, and one sheet that shows them all."""
    wanted = _checked(sizes)
    source = read_input(file_id)
    total = len(wanted) + 2
    runs.progress(0, total, "reading the picture")
    picture, format_name = _open(bytes(source.content))
    stem = PurePath(source.name).stem[:150]

    images, thumbnails = [], []
    for done, size in enumerate(wanted, start=1):
        runs.progress(done, total, f"thumbnail of {size} pixels")
        thumbnail = picture.copy()
        thumbnail.thumbnail((size, size))
        images.append(thumbnail)
        thumbnails.append(
            {
                **write_output(self, f"{stem}-{size}.png", _png(thumbnail), "image/png"),
                "width": thumbnail.width,
                "height": thumbnail.height,
            }
        )
    runs.progress(total - 1, total, "contact sheet")
    sheet = contact_sheet(images)
    return {
        "width": picture.width,
        "height": picture.height,
        "format": format_name,
        "thumbnails": thumbnails,
        "contact_sheet": write_output(self, f"{stem}-contact-sheet.png", _png(sheet), "image/png"),
    }


def _checked(sizes: object) -> list[int]:
    if not isinstance(sizes, list | tuple) or not 1 <= len(sizes) <= MOST_SIZES:
        raise BadInput(f"sizes must be a list of 1 to {MOST_SIZES} numbers of pixels, not {sizes!r}.")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
            raise BadInput(f"A size must be a whole number from {SMALLEST} to {LARGEST}, not {size!r}.")
    return sorted(set(sizes))


def _open(content: bytes) -> tuple[Image.Image, str]:
    # Imported in the task: workers of other queues should not pay Pillow's memory and start-up.
    from PIL import Image, ImageOps, UnidentifiedImageError

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise BadInput(f"The file is not a picture in one of these formats: {', '.join(FORMATS)}.") from None
    except bombs as error:
        raise BadInput(f"The picture is too large: {MOST_PIXELS:,} pixels are the most.") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise BadInput(f"The picture is damaged: {error}.") from error
    format_name = picture.format or "unknown"
    # The header tells the size; decoding is what costs the memory.
    if picture.width * picture.height > MOST_PIXELS:
        raise BadInput(
            f"The picture is too large: {picture.width} x {picture.height} pixels, {MOST_PIXELS:,} are the most."
        )
    try:
        upright = ImageOps.exif_transpose(picture)
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB"), format_name
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error) as error:
        # Pillow's decoders raise all of these on damaged data.
        raise BadInput(f"The picture is damaged: {error}.") from error


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
