import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from example.models import StoredFile
from example.tasks.errors import BadInput
from example.tasks.image import make_thumbnails
from tests.example.conftest import Run, StoreFile


def picture(width: int = 400, height: int = 200, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, format=format, **options)
    return buffer.getvalue()


def stored_image(reference: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(bytes(StoredFile.objects.get(id=reference["id"]).content)))


def header_of_a_png(width: int, height: int) -> bytes:
    """A PNG that announces its size and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def test_thumbnails_fit_the_sizes_and_keep_the_proportions(run: Run, store: StoreFile) -> None:
    result = run(make_thumbnails, store(picture(400, 200), name="boat.jpg"), sizes=[64, 128])

    assert (result["width"], result["height"], result["format"]) == (400, 200, "PNG")
    assert [stored_image(thumbnail).size for thumbnail in result["thumbnails"]] == [(64, 32), (128, 64)]
    assert [thumbnail["name"] for thumbnail in result["thumbnails"]] == ["boat-64.png", "boat-128.png"]


def test_the_contact_sheet_shows_every_thumbnail(run: Run, store: StoreFile) -> None:
    result = run(make_thumbnails, store(picture()), sizes=[64, 128])

    sheet = stored_image(result["contact_sheet"])
    teal = sum(1 for pixel in sheet.get_flattened_data() if pixel == (0, 128, 128))
    assert sheet.format == "PNG"
    assert teal == 64 * 32 + 128 * 64


def test_a_file_is_referred_to_by_id_name_url_and_size(run: Run, store: StoreFile) -> None:
    sheet = run(make_thumbnails, store(picture()))["contact_sheet"]

    file = StoredFile.objects.get(id=sheet["id"])
    assert sheet == {"id": str(file.id), "name": file.name, "url": f"/files/{file.id}/", "size": len(file.content)}


def test_the_orientation_in_the_exif_data_is_respected(run: Run, store: StoreFile) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    turned = picture(400, 200, "JPEG", exif=exif)

    result = run(make_thumbnails, store(turned), sizes=[100])

    assert stored_image(result["thumbnails"][0]).size == (50, 100)


def test_transparency_is_kept(run: Run, store: StoreFile) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(buffer, format="PNG")

    result = run(make_thumbnails, store(buffer.getvalue()), sizes=[32])

    assert stored_image(result["thumbnails"][0]).getpixel((5, 5)) == (0, 0, 0, 0)


def test_a_task_that_is_delivered_twice_stores_its_files_once(store: StoreFile) -> None:
    source = store(picture())

    results = [make_thumbnails.apply(args=[source], task_id="same").get() for _ in range(2)]

    assert results[0] == results[1]
    assert StoredFile.objects.count() == 1 + 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a picture"),
        (b"hello", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (picture()[:60], "damaged"),
        (picture(format="JPEG")[:400], "damaged"),
        (header_of_a_png(8000, 8000), "too large: 8000 x 8000 pixels"),
        (header_of_a_png(12000, 12000), "too large"),
        (header_of_a_png(60000, 60000), "too large"),
    ],
    ids=["empty", "text", "svg", "cut png", "cut jpeg", "large", "larger", "bomb"],
)
def test_what_is_no_picture_or_too_large_is_refused(run: Run, store: StoreFile, content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(make_thumbnails, store(content))


@pytest.mark.parametrize("sizes", [[], [15], [1025], [64.0], ["64"], [True], "64", 64, [64] * 9, None])
def test_sizes_out_of_bounds_are_refused(run: Run, store: StoreFile, sizes: Any) -> None:
    with pytest.raises(BadInput, match="size"):
        run(make_thumbnails, store(picture()), sizes=sizes)


@pytest.mark.parametrize(
    ("file_id", "reason"),
    [("7", "is not the id of a file"), (None, "is not the id"), ("0e3a3b9e-6b1a-4f6b-9d3c-0c5f3a2b1d00", "no file")],
)
def test_a_missing_file_is_refused(run: Run, file_id: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(make_thumbnails, file_id)
