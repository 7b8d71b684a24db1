"""What is read from folders and lists, which images there are, and what is wrong with them."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from netc.data import DataError, as_data_error, images, prepare
from netc.data.errors import BROKEN, CLASSES, MISSING, SHAPE
from tests.data_reading import everything, read, refused
from tests.data_samples import folder_of_classes, pictures, save, spec

tf = pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
pictures_module = pytest.importorskip("netc.data.pictures")
named = pytest.importorskip("netc.data.named")


# -- folders and lists --------------------------------------------------------------------------------------------


def test_folder_of_classes(tmp_path: Path) -> None:
    folder_of_classes(tmp_path / "data", {"b": 3, "a": 2, "c": 4})
    (tmp_path / "data/.hidden").mkdir()
    (tmp_path / "data/a/Thumbs.db").write_bytes(b"x")
    save(tmp_path / "data/c/deep/er/x.png", pictures(1, channels=3)[0])
    os.symlink(tmp_path / "data/c", tmp_path / "data/c/circle")
    held = read(spec('data "data" { shuffle false }', image="8x8x3", name=str(tmp_path / "a.net")))
    assert held.classes == ("a", "b", "c")
    assert list(everything(held.train)[1]) == [0] * 2 + [1] * 3 + [2] * 5


def test_folder_with_parts(tmp_path: Path) -> None:
    folder_of_classes(tmp_path / "train", {"a": 3, "b": 3, "c": 3})
    folder_of_classes(tmp_path / "val", {"a": 2, "c": 1})
    folder_of_classes(tmp_path / "test", {"c": 2})
    held = read(spec("data { validation own }", image="8x8x3"), tmp_path)
    assert (held.train.images, held.validation.images, held.test.images) == (9, 3, 2)
    assert list(everything(held.validation)[1]) == [0, 0, 2]
    assert list(everything(held.test)[1]) == [2, 2]
    folder_of_classes(tmp_path / "test", {"d": 1})
    assert "test/d` is a class without images for training" in refused(CLASSES, spec(image="8x8x3"), tmp_path)


@pytest.mark.parametrize("at_once", [1, 3, 16])
def test_batches_that_are_read_at_once_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("netc.data.stream.AT_ONCE", at_once)
    folder_of_classes(tmp_path, {"a": 13, "b": 12, "c": 14})
    stream = prepare(spec("data { shuffle false }", image="8x8x3"), source=tmp_path, seed=0, batch=2).train
    endless = stream.endless().as_numpy_iterator()
    labels = np.concatenate([next(endless)[1].argmax(1) for _ in range(3 * stream.steps)])
    assert list(labels) == ([0] * 13 + [1] * 12 + [2] * 14) * 3


HOSTILE = [
    "a b",
    'q"uote',
    "new\nline",
    "\x1b[31mred",
    "$(touch x)",
    "日本",
    "..".replace(".", "up"),
    "-rf",
    "%s",
    "'",
]


def test_hostile_names_of_folders(tmp_path: Path) -> None:
    folder_of_classes(tmp_path, dict.fromkeys(HOSTILE, 2))
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"by\xfftes"))
    save(tmp_path / os.fsdecode(b"by\xfftes") / "x.png", pictures(1, channels=3)[0])
    program = spec(image="8x8x3", classes=len(HOSTILE) + 1)
    held = read(program, tmp_path)
    assert set(held.classes) == {*HOSTILE, os.fsdecode(b"by\xfftes")}
    assert len(everything(held.train)[0]) == 2 * len(HOSTILE) + 1
    (tmp_path / HOSTILE[3] / "broken.png").write_bytes(b"no")
    said = refused(BROKEN, spec(image="8x8x3", classes=len(HOSTILE) + 1), tmp_path)
    assert "\x1b" not in said
    assert "\\x1b[31mred/broken.png" in said


def test_a_list(tmp_path: Path) -> None:
    paths = [
        save(tmp_path / "images" / name, pixels)
        for name, pixels in zip(("a.png", "b c.png", 'd"e.png'), pictures(3), strict=True)
    ]
    lines = (
        f'images/a.png  cat\r\n\n"images/b c.png" dog\nimages/b c.png bird\n"images/d\\"e.png" cat\n{paths[0]} dog\n'
    )
    (tmp_path / "list.txt").write_bytes(lines.encode())
    held = read(spec('data "list.txt" { shuffle false }', name=str(tmp_path / "a.net")))
    assert held.classes == ("bird", "cat", "dog")
    assert list(everything(held.train)[1]) == [1, 2, 0, 1, 2]
    (tmp_path / "numbers.txt").write_text("images/a.png 0\nimages/a.png 2\n")
    assert read(spec(), tmp_path / "numbers.txt").classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a.png 0\nalone\na.png 1", BROKEN, "list.txt`, line 2: expected a path and a class"),
        ("a.png 0\nb.png 1", BROKEN, "line 2: there is no file"),
        ("", MISSING, "is empty"),
        ("a.png 0\na.png 0", CLASSES, "holds one class"),
        ("a.png 0\na.png 999999999", CLASSES, "is too large"),
        ("a.png \0", BROKEN, "is no text"),
    ],
)
def test_broken_lists(tmp_path: Path, text: str, code: str, message: str) -> None:
    save(tmp_path / "a.png", pictures(1)[0])
    (tmp_path / "list.txt").write_text(text)
    assert message in refused(code, spec(), tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("break_it", "code", "message"),
    [
        (
            lambda root: (root / "a/readme.txt").write_text("hello"),
            BROKEN,
            "a/readme.txt` is not an image that is read",
        ),
        (lambda root: (root / "a/empty.png").write_bytes(b""), BROKEN, "a/empty.png` is empty"),
        (lambda root: (root / "cat.png").write_bytes(b""), BROKEN, "cat.png` lies in no folder of a class"),
        (lambda root: (root / "d").mkdir(), MISSING, "d` has no images"),
        (lambda root: os.mkfifo(root / "a/pipe"), BROKEN, "a/pipe` is not a file"),
        (lambda root: (root / "a/gone.png").symlink_to("nowhere"), BROKEN, "a/gone.png` is not a file"),
        (lambda root: save(root / "d/x.png", pictures(1, channels=3)[0]), CLASSES, "4 classes, and the network has 3"),
        (
            lambda root: save(root / "a/x.png", pictures(1, 9, 8, 3)[0]),
            SHAPE,
            "different sizes, such as 8x8x3 and 9x8x3",
        ),
        (lambda root: truncate(root / "a/000.png", 0.6), BROKEN, "a/000.png` is broken"),
    ],
)
def test_broken_folders(tmp_path: Path, break_it: Any, code: str, message: str) -> None:
    folder_of_classes(tmp_path, {"a": 2, "b": 2, "c": 2})
    break_it(tmp_path)
    assert message in refused(code, spec(image="8x8x3"), tmp_path)


def truncate(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def test_an_empty_folder_and_a_path_that_is_nowhere(tmp_path: Path) -> None:
    assert "is empty" in refused(MISSING, spec(), tmp_path)
    assert f"{tmp_path}/nowhere` is not there" in refused(MISSING, spec(), tmp_path / "nowhere")
    assert "does not say what to train on" in refused(MISSING, spec())
    (tmp_path / "x.tar.gz").write_bytes(b"")
    assert "unpack it" in refused(BROKEN, spec(), tmp_path / "x.tar.gz")


def test_all_broken_files_are_told(tmp_path: Path) -> None:
    folder_of_classes(tmp_path, {"a": 30, "b": 30, "c": 2})
    for path in sorted(tmp_path.rglob("*.png"))[:50:2]:
        truncate(path, 0.5)
    with pytest.raises(DataError) as error:
        read(spec(image="8x8x3"), tmp_path)
    assert len(error.value.diagnostics) == 21
    assert "5 more cannot be used either: 25 of 62 files" in str(error.value)


def test_a_file_that_breaks_while_training_is_named(tmp_path: Path) -> None:
    folder_of_classes(tmp_path, {"a": 2, "b": 2, "c": 2})
    program = spec(image="8x8x3")
    held = read(program, tmp_path)
    truncate(tmp_path / "b/001.png", 0.5)
    with pytest.raises(tf.errors.OpError) as error:
        list(held.train.batches())
    found = as_data_error(error.value, program)
    assert found is not None
    assert "b/001.png` is broken" in str(found)
    assert as_data_error(ValueError("something else"), program) is None


def test_a_file_that_breaks_before_statistics_is_named(tmp_path: Path) -> None:
    folder_of_classes(tmp_path, {"a": 2, "b": 2, "c": 2})

    def damage(what: str, done: int, of: int) -> None:
        if (what, done) == ("reading images", of):
            truncate(tmp_path / "b/001.png", 0.5)

    with pytest.raises(DataError, match=r"b/001.png` is broken"):
        read(spec("data { center }", image="8x8x3"), tmp_path, progress=damage)


def test_progress_is_told(tmp_path: Path) -> None:
    folder_of_classes(tmp_path, {"a": 2, "b": 2, "c": 2})
    told: list[tuple[str, int, int]] = []
    read(spec("data { center }", image="8x8x3"), tmp_path, progress=lambda *news: told.append(news))
    assert {news for news in told if news[1] == news[2]} == {
        ("looking at images", 6, 6),
        ("reading images", 6, 6),
        ("computing statistics", 6, 6),
    }


def test_images_of_different_sizes_are_resized_or_cropped(tmp_path: Path) -> None:
    sizes = [(8, 8), (10, 9), (12, 16)]
    for name, (rows, columns) in zip("abc", sizes, strict=True):
        for index in range(2):
            save(tmp_path / name / f"{index}.png", pictures(1, rows, columns, 3, seed=index)[0])
    for step in ("resize 6x6", "crop 6x6", "crop 7x7 pad=2; crop 6x6; mixup 0.2"):
        held = read(spec(f"data {{ {step}; flip }}", image="6x6x3"), tmp_path)
        assert everything(held.train)[0].shape == (6, 6, 6, 3)
    assert "larger than its image" in refused("NET406", spec("data { crop 9x9 }", image="9x9x3"), tmp_path)


def test_statistics_need_images_of_one_size(tmp_path: Path) -> None:
    for name, rows in zip("abc", (8, 9, 10), strict=True):
        save(tmp_path / name / "x.png", pictures(1, rows, 8, 3)[0])
    said = refused(SHAPE, spec("data { center; resize 6x6 }", image="6x6x3"), tmp_path)
    assert "`center` needs images of one size" in said
    for steps in ("center 0.5; resize 6x6", "center samplewise; resize 6x6", "resize 6x6; center per_pixel"):
        assert everything(read(spec(f"data {{ {steps} }}", image="6x6x3"), tmp_path).train)[0].shape == (3, 6, 6, 3)


# -- kinds of images ----------------------------------------------------------------------------------------------

COLOURS = np.asarray(
    [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[0, 0, 0], [128, 128, 128]]], np.uint8
)


@pytest.mark.parametrize(
    ("name", "convert", "options"),
    [
        ("x.png", "RGB", {}),
        ("x.png", "P", {}),
        ("x.png", "RGBA", {}),
        ("x.gif", "P", {}),
        ("x.bmp", "RGB", {}),
        ("x.tif", "RGB", {}),
        ("x.tif", "CMYK", {}),
        ("x.ppm", "RGB", {}),
        ("x.webp", "RGB", {"lossless": True}),
    ],
)
def test_formats_and_modes(tmp_path: Path, name: str, convert: str, options: dict[str, Any]) -> None:
    image = Image.fromarray(COLOURS)
    (image.quantize(8) if convert == "P" else image.convert(convert)).save(tmp_path / name, **options)
    np.testing.assert_allclose(pictures_module.decode(tmp_path / name, 3), COLOURS / 255, atol=0.01)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    image.save(tmp_path / "x.jpg", quality=100)
    np.testing.assert_allclose(pictures_module.decode(tmp_path / "x.jpg", 3)[8, 8], [1, 0, 0], atol=0.05)


def test_sixteen_bits(tmp_path: Path) -> None:
    deep = np.asarray([[0, 1000], [40000, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "x.png")
    np.testing.assert_allclose(pictures_module.decode(tmp_path / "x.png", 1)[..., 0], deep / 65535, atol=1e-6)
    assert pictures_module.decode(tmp_path / "x.png", 3).shape == (2, 2, 3)


def test_cameras_that_were_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    Image.fromarray(COLOURS.repeat(16, 0).repeat(16, 1)).save(tmp_path / "x.jpg", exif=exif, quality=95)
    head = pictures_module.header(tmp_path / "x.jpg")
    assert (head.rows, head.columns) == (32, 48)
    found = pictures_module.decode(tmp_path / "x.jpg", 3)
    wanted = np.rot90(COLOURS, -1) / 255
    np.testing.assert_allclose(found[8::16, 8::16], wanted, atol=0.1)


def test_bombs_are_refused_by_their_heads(tmp_path: Path) -> None:
    Image.new("1", (10, 10)).save(tmp_path / "bomb.png")
    data = bytearray((tmp_path / "bomb.png").read_bytes())
    for size, message in ((9_000, "9000x9000 pixels, more than the 67,108,864"), (50_000, "more than the 67,108,864")):
        data[16:24] = size.to_bytes(4, "big") * 2
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
        with pytest.raises(pictures_module.Unfit, match=message):
            pictures_module.header(bytes(data))


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.gif", "x.bmp", "x.tif", "x.webp"])
def test_no_damage_crashes(tmp_path: Path, name: str) -> None:
    generator = np.random.default_rng(0)
    data = save(tmp_path / name, pictures(1, 20, 20, 3)[0]).read_bytes()
    for trial in range(60):
        damaged = bytearray(data[: generator.integers(1, len(data))] if trial % 2 else data)
        for at in generator.integers(0, len(damaged), 8):
            damaged[at] = generator.integers(0, 256)
        with suppress(pictures_module.Unfit):  # whatever else is raised fails
            assert pictures_module.decode(bytes(damaged), 3).shape[2] == 3


def test_images_alone(tmp_path: Path) -> None:
    program = spec("data { center 0.5; crop 6x6 }", image="6x6x1")
    paths = [save(tmp_path / f"{index}.png", pixels) for index, pixels in enumerate(pictures(3))]
    (batch,) = images(paths, program).batches()
    np.testing.assert_allclose(batch, pictures(3)[:, 1:7, 1:7] / 255 - 0.5, atol=1e-6)
    with pytest.raises(DataError, match="needs the statistics of the training images"):
        images(paths, spec("data { center }"))
    (tmp_path / "no.png").write_text("no")
    with pytest.raises(DataError, match=r"no.png` is not an image"):
        images([*paths, tmp_path / "no.png"], program)
