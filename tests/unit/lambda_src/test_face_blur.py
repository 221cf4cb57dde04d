"""Blurred copies: every face hidden whichever way the picture is turned, and nothing else told."""

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from face_blur import copies
from face_blur.copies import Copies
from face_blur.picture import NotAPicture, blurred
from sagelens import face_blur
from shared import following
from shared.dynamodb import from_item, to_item
from shared.following import Moving
from tests.unit.lambda_src import seen
from tests.unit.lambda_src.expressions import Condition, update
from tests.unit.lambda_src.test_all_analyses import settings
from tests.unit.lambda_src.world import World, error
from tools import erasing

# A face in the upper left of the picture as people see it: a chequered field on grey.
SIZE = (400, 240)
FACE = {"left": 0.1, "top": 0.1, "width": 0.2, "height": 0.3}
# How each EXIF orientation stores a picture that is seen upright ("Orientation", Exif 2.3).
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", SIZE, (128, 128, 128))
    pen = ImageDraw.Draw(image)
    for x in range(40, 120, 8):
        for y in range(24, 96, 8):
            dark = (x + y) % 16 == 0
            pen.rectangle((x, y, x + 7, y + 7), fill=(0, 0, 0) if dark else (255, 255, 255))
    # Something to keep, in the lower right.
    pen.rectangle((300, 180, 380, 220), fill=(200, 30, 30))
    return image.convert(mode)


def saved(image: Image.Image, format: str, turn: int = 1, **more: Any) -> bytes:
    stored = image if STORED[turn] is None else image.transpose(STORED[turn])
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "Camera of Jane Doe"
    exif.get_ifd(0x8825)[1] = "N"
    content = BytesIO()
    quality = {"quality": 95} if format == "JPEG" else {}
    stored.save(content, format, exif=exif.tobytes(), **quality, **more)
    return content.getvalue()


def read(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image


def contrast(image: Image.Image, area: tuple[int, int, int, int]) -> int:
    """The greatest step between neighbouring dots in an area."""
    part = image.convert("L").crop(area)
    dots = part.load()
    assert dots is not None
    return max(
        abs(int(dots[x, y]) - int(dots[x + 1, y]))  # type: ignore[operator]
        for x in range(part.width - 1)
        for y in range(part.height)
    )


FACE_AREA = (40, 24, 120, 96)


@pytest.mark.parametrize("turn", STORED)
def test_a_jpegs_face_is_hidden_whichever_way_it_is_stored(turn: int) -> None:
    # Rekognition's boxes are of the picture turned upright.
    copy = read(blurred(saved(upright(), "JPEG", turn), [FACE], 1000))
    assert copy.size == SIZE and copy.format == "JPEG"
    assert contrast(upright(), FACE_AREA) == 255
    assert contrast(copy, FACE_AREA) < 40
    red, green, _ = copy.getpixel((340, 200))
    assert red > 150 and green < 90


@pytest.mark.parametrize("turn", [1, 3, 6])
def test_a_pngs_face_is_hidden_where_it_is_stored_and_turned_afterwards(turn: int) -> None:
    # Rekognition does not turn a PNG: its boxes are of the picture as it is stored.
    boxes = {
        1: FACE,
        3: {"left": 0.7, "top": 0.6, "width": 0.2, "height": 0.3},
        6: {"left": 0.1, "top": 0.7, "width": 0.3, "height": 0.2},
    }
    copy = read(blurred(saved(upright(), "PNG", turn), [boxes[turn]], 1000))
    assert copy.size == SIZE
    assert contrast(copy, FACE_AREA) < 40
    assert copy.getpixel((340, 200))[0] > 150


def test_without_a_face_nothing_is_blurred() -> None:
    copy = read(blurred(saved(upright(), "JPEG"), [], 1000))
    assert contrast(copy, FACE_AREA) > 200


def test_where_there_may_be_more_faces_than_are_found_everything_is_hidden() -> None:
    tiny = {"left": 0.9, "top": 0.9, "width": 0.01, "height": 0.01}
    assert contrast(read(blurred(saved(upright(), "JPEG"), [tiny] * 99, 1000)), FACE_AREA) > 200
    copy = read(blurred(saved(upright(), "JPEG"), [tiny] * 100, 1000))
    assert contrast(copy, (0, 0, *SIZE)) < 40


@pytest.mark.parametrize(
    "box",
    [
        {"left": -0.2, "top": -0.1, "width": 0.5, "height": 0.6},
        {"left": 0.1, "top": 0.1, "width": 5, "height": 5},
        {name: str(value) for name, value in FACE.items()},
    ],
)
def test_a_box_may_reach_beyond_the_picture(box: dict[str, Any]) -> None:
    assert contrast(read(blurred(saved(upright(), "JPEG"), [box], 1000)), FACE_AREA) < 40


def test_a_box_outside_the_picture_hides_nothing() -> None:
    outside = {"left": 2, "top": 2, "width": 0.1, "height": 0.1}
    assert contrast(read(blurred(saved(upright(), "JPEG"), [outside], 1000)), FACE_AREA) > 200


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_nothing_but_dots_is_taken_over(format: str) -> None:
    more: dict[str, Any] = {"comment": b"Jane Doe was here"} if format == "JPEG" else {}
    if format == "PNG":
        words = PngImagePlugin.PngInfo()
        words.add_text("Author", "Jane Doe")
        more["pnginfo"] = words
    data = saved(upright(), format, **more)
    assert b"Jane Doe" in data
    copy = blurred(data, [FACE], 1000)
    assert b"Jane" not in copy and b"Exif" not in copy and b"ICC_PROFILE" not in copy
    assert sorted(read(copy).info) == ["jfif", "jfif_density", "jfif_unit", "jfif_version"]


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_pictures_of_every_kind_of_jpeg_are_read(mode: str) -> None:
    copy = read(blurred(saved(upright(mode), "JPEG"), [FACE], 1000))
    assert copy.mode == "RGB" and contrast(copy, FACE_AREA) < 40


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_kind_of_png_are_read(mode: str) -> None:
    image = upright("L").convert("I;16") if mode == "I;16" else upright().convert(mode)
    copy = read(blurred(saved(image, "PNG"), [FACE], 1000))
    assert copy.mode == "RGB" and contrast(copy, FACE_AREA) < 45


def test_what_is_clear_becomes_white() -> None:
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    assert read(blurred(saved(clear, "PNG"), [], 1000)).getpixel((50, 50)) == (255, 255, 255)


def test_a_copy_is_no_larger_than_it_may_be() -> None:
    copy = read(blurred(saved(upright(), "JPEG", 6), [FACE], 200))
    assert copy.size == (200, 120)
    assert contrast(copy, (20, 12, 60, 48)) < 60


def test_a_picture_that_ends_too_soon_is_read_and_rubbish_is_not() -> None:
    whole = saved(upright(), "JPEG")
    assert read(blurred(whole[: len(whole) * 2 // 3], [FACE], 1000)).size == SIZE
    with pytest.raises(NotAPicture):
        blurred(b"\xff\xd8\xff" + b"x" * 500, [], 1000)
    with pytest.raises(NotAPicture):
        blurred(b"", [], 1000)


class Stage:
    """The clients of the function, over one world's table and objects."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.copies: dict[tuple[str, str], bytes] = {}
        self.asked = 0
        self.meanwhile: Any = None

    def get_item(self, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:
        item = self.world.table.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": dict(item)} if item else {}

    def update_item(self, Key: Any, UpdateExpression: str, **rest: Any) -> dict[str, Any]:
        if self.meanwhile:
            self.meanwhile()
        place = (Key["pk"]["S"], Key["sk"]["S"])
        names, values = rest["ExpressionAttributeNames"], rest["ExpressionAttributeValues"]
        item = self.world.table.get(place)
        if not Condition(rest["ConditionExpression"], names, values).holds(item):
            raise error("ConditionalCheckFailedException", "UpdateItem")
        self.world.table[place] = update(item, UpdateExpression, names, values)
        return {"Attributes": self.world.table[place]}

    def get_object(self, Bucket: str, Key: str, VersionId: str = "") -> dict[str, Any]:
        if (Key, VersionId) not in self.world.objects:
            raise error("NoSuchVersion", "GetObject", 404)
        return {"Body": BytesIO(self.world.objects[Key, VersionId].data)}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> dict[str, str]:
        version = f"copy-{len(self.copies) + 1}"
        self.copies[Key, version] = Body
        return {"VersionId": version}

    def delete_object(self, Bucket: str, Key: str, VersionId: str) -> None:
        del self.copies[Key, VersionId]

    def detect_faces(self, Image: Any, Attributes: list[str]) -> dict[str, Any]:
        assert Attributes == ["DEFAULT"] and Image["S3Object"]["Version"] == "v1"
        self.asked += 1
        return seen.FACES

    def follow(self, version: Any) -> str:
        reference = following.Reference(
            "results", version.uri, "version#v1", "images", version.key, "v1"
        )
        return Copies(self, self, self, "data", 1000).follow(reference)


def staged(store: str = "attributes") -> tuple[Stage, Any]:
    chosen = settings()
    faces = {"faces": {"attributes": "default", "store": store}}
    world = World({**chosen, "analyses": {**chosen["analyses"], **faces}})
    version = world.put("incoming/jane.jpg", data=saved(upright(), "JPEG"), sees=seen.SEEN)
    world.run(version)
    return Stage(world), version


def change(stage: Stage, version: Any, **fields: Any) -> None:
    item = stage.world.table[version.uri, "version#v1"]
    item.update(to_item(fields))


def pointer(stage: Stage, version: Any) -> Any:
    return from_item(stage.world.table[version.uri, "version#v1"]).get(copies.POINTER)


def test_the_record_points_to_its_copy() -> None:
    stage, version = staged()
    assert stage.follow(version) == "made"
    known = pointer(stage, version)
    assert (known["bucket"], known["version_id"]) == ("data", "copy-1")
    assert known["key"].startswith(copies.PREFIX) and "jane" not in known["key"]
    assert list(stage.copies) == [(known["key"], "copy-1")]
    assert stage.follow(version) == "nothing"
    assert len(stage.copies) == 1


@pytest.mark.parametrize(("store", "calls"), [("attributes", 0), ("counts", 1), ("nothing", 1)])
def test_faces_are_asked_for_only_where_the_record_does_not_keep_them(
    store: str, calls: int
) -> None:
    stage, version = staged(store)
    assert stage.follow(version) == "made"
    assert stage.asked == calls
    # What was asked for stays nowhere.
    kept = json.dumps(from_item(stage.world.table[version.uri, "version#v1"]), default=str)
    assert ("0.12346" in kept) == (store == "attributes")


@pytest.mark.parametrize(
    "hidden", [{"decision": "reject"}, {"decision": "unusable"}, {"quarantined": True}]
)
def test_what_people_may_not_see_has_no_copy(hidden: dict[str, Any]) -> None:
    stage, version = staged()
    change(stage, version, **hidden)
    assert stage.follow(version) == "nothing"
    assert not stage.copies


def test_a_rejection_takes_the_copy_away() -> None:
    stage, version = staged()
    stage.follow(version)
    change(stage, version, decision="reject", quarantined=True)
    assert stage.follow(version) == "removed"
    assert not stage.copies and pointer(stage, version) is None


def test_an_analysis_made_anew_renews_the_copy() -> None:
    stage, version = staged()
    stage.follow(version)
    change(stage, version, analysed_at="2027-01-01T00:00:00.000Z")
    assert stage.follow(version) == "made"
    assert [each for _, each in stage.copies] == [pointer(stage, version)["version_id"]]


@pytest.mark.parametrize("how", ["rejected", "erased"])
def test_a_record_that_changes_meanwhile_takes_the_new_copy_away(how: str) -> None:
    stage, version = staged()

    def meanwhile() -> None:
        stage.meanwhile = None
        if how == "erased":
            stage.world.table.clear()
        else:
            change(stage, version, decision="reject", quarantined=True)

    stage.meanwhile = meanwhile
    assert stage.follow(version) == "nothing"
    assert not stage.copies


def test_a_record_that_never_rests_comes_back_later() -> None:
    stage, version = staged()
    moments = iter(range(9))
    stage.meanwhile = lambda: change(stage, version, analysed_at=f"{next(moments)}")
    with pytest.raises(Moving):
        stage.follow(version)
    assert not stage.copies


def test_a_deleted_image_and_one_that_cannot_be_read_make_no_copy() -> None:
    stage, version = staged()
    stage.world.objects[version.key, "v1"].data = b"\xff\xd8\xff rubbish"
    assert stage.follow(version) == "impossible"
    stage.world.objects.clear()
    assert stage.follow(version) == "nothing"
    assert not stage.copies


def test_what_waits_for_a_person_has_a_copy() -> None:
    stage, version = staged()
    change(stage, version, decision="review")
    assert stage.follow(version) == "made"


def test_the_folder_is_one_for_library_function_and_command() -> None:
    assert copies.PREFIX == face_blur.BLURRED_COPIES == erasing.BLURRED_COPIES
