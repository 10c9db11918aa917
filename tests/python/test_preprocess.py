"""rfseg.ops.preprocess against Pillow + NumPy, against its NumPy twin, and against torch.

Floats are compared as they are: two bytes never have the same normalised value, so equal floats mean equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

import rfseg
from reference import preprocess as twin

FIXTURES = Path(__file__).parent.parent / "data" / "bilinear_torch.npz"

SMALL_FRAMES = [
    (1, 1),
    (2, 3),
    (3, 2),
    (1, 90),
    (90, 1),
    (20, 20),
    (37, 53),
    (61, 135),
    (135, 61),
    (60, 400),
    (400, 60),
]
FRAMES = [(176, 312), (312, 176), (312, 312), (384, 384), (311, 313), (480, 640), (640, 480), (640, 427), (312, 700)]
LARGE_FRAMES = [(720, 1280), (1080, 1920), (1920, 1080), (2160, 3840)]
NETWORKS = [(312, 312), (384, 384), (432, 432)]
LARGE_NETWORKS = [(504, 504), (624, 624), (768, 768)]
ODD_NETWORKS = [(1, 1), (2, 5), (64, 96), (96, 64), (33, 70), (90, 1), (312, 40)]
RANDOM_SHAPES = 400

Size = tuple[int, int]

VIEWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "upside_down": lambda a: a[::-1],
    "mirrored": lambda a: a[:, ::-1],
    "turned": lambda a: a[::-1, ::-1],
    "channels_reversed": lambda a: a[:, :, ::-1],
    "all_reversed": lambda a: a[::-1, ::-1, ::-1],
    "strided": lambda a: a[1::2, ::3],
    "strided_channels_reversed": lambda a: a[::2, 1::2, ::-1],
    "transposed": lambda a: a.transpose(1, 0, 2),
    "fortran": np.asfortranarray,
    "planar": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
    "crop": lambda a: a[3:-1, 2:],
    "three_of_four_channels": lambda a: np.concatenate([a, a[:, :, :1]], axis=2)[:, :, :3],
    "one_row_repeated": lambda a: np.broadcast_to(a[:1], a.shape),
}


def noise(rng: np.random.Generator, shape: Size) -> np.ndarray:
    """A frame whose every byte matters, with flat and saturated parts."""
    frame = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    frame[: shape[0] // 4] = rng.choice(np.array([0, 255], np.uint8))
    return frame


def pillow(frame: np.ndarray, size: Size, color: str) -> np.ndarray:
    """The answer that Pillow and NumPy give."""
    rgb = frame if color == "rgb" else frame[:, :, ::-1]
    image = Image.fromarray(np.ascontiguousarray(rgb))
    resized = np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return twin.normalise(resized.astype(np.float32) / np.float32(255))


def assert_identical(actual: np.ndarray, expected: np.ndarray, case: object) -> None:
    """Compares bit for bit."""
    assert actual.dtype == np.float32, case
    assert actual.shape == expected.shape, case
    assert actual.tobytes() == expected.tobytes(), f"{case}: {np.count_nonzero(actual != expected)} of {actual.size}"


def shapes() -> list[tuple[Size, Size]]:
    """Pairs of frame and network size: the contract's cases, then random ones up to 8 times larger or smaller."""
    grid = [(frame, network) for frame in SMALL_FRAMES for network in NETWORKS + LARGE_NETWORKS + ODD_NETWORKS]
    grid += [(frame, network) for frame in FRAMES for network in NETWORKS + ODD_NETWORKS]
    grid += [(frame, network) for frame in LARGE_FRAMES for network in (NETWORKS[0], LARGE_NETWORKS[-1])]
    rng = np.random.default_rng(1)
    for _ in range(RANDOM_SHAPES):
        height, width, network_height, network_width = (int(n) for n in np.exp2(rng.uniform(2, 8.5, 4)))
        grid.append(((height, width), (network_height, network_width)))
    return grid


def test_pillow_makes_the_vertical_pass_first_where_the_contract_says() -> None:
    assert int(PIL.__version__.split(".")[0]) >= 13, "earlier versions always resize horizontally first"


def test_equals_pillow() -> None:
    rng = np.random.default_rng(2)
    compared = set()
    vertical_first = 0
    for frame_size, network in shapes():
        frame = noise(rng, frame_size)
        for color in ("bgr", "rgb"):
            actual = rfseg.ops.preprocess(frame, network, color=color)
            assert_identical(actual, pillow(frame, network, color), (frame_size, network, color))
        compared.add((frame_size, network))
        vertical_first += twin.vertical_pass_first(frame_size, network)
    assert len(compared) >= 500
    assert 50 <= vertical_first <= len(compared) - 50


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
def test_equals_the_twin(resize: str) -> None:
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(150):
        frame = noise(rng, (int(rng.integers(1, 90)), int(rng.integers(1, 90))))
        size = (int(rng.integers(1, 60)), int(rng.integers(1, 60)))
        color = str(rng.choice(["bgr", "rgb"]))
        by = {"mean": rng.uniform(-1, 1, 3).astype(np.float32), "std": rng.uniform(0.01, 3, 3).astype(np.float32)}
        for trained in ({}, by):
            given = {key: tuple(values.tolist()) for key, values in trained.items()}
            actual = rfseg.ops.preprocess(frame, size, color=color, resize=resize, **given)
            expected = twin.preprocess(frame, size, color, resize, **trained)
            assert_identical(actual, expected, (frame.shape, size, color, given))
        compared += actual.size
    assert compared > 100_000


@pytest.mark.parametrize("frame_size", [*LARGE_FRAMES, (312, 312), (480, 640)])
def test_bilinear_equals_the_twin_on_real_sizes(frame_size: Size) -> None:
    frame = noise(np.random.default_rng(4), frame_size)
    for size in (NETWORKS[0], LARGE_NETWORKS[-1]):
        actual = rfseg.ops.preprocess(frame, size, resize="bilinear")
        assert_identical(actual, twin.preprocess(frame, size, "bgr", "bilinear"), (frame_size, size))


@pytest.mark.parametrize("name", VIEWS)
def test_views_need_no_copy(name: str) -> None:
    rng = np.random.default_rng(5)
    compared = 0
    for frame_size in [(37, 53), (200, 90), (480, 640)]:
        for network in [(24, 32), (60, 90), (200, 53), (240, 320)]:
            view = VIEWS[name](noise(rng, frame_size))
            for color in ("bgr", "rgb"):
                for resize in ("pil", "bilinear"):
                    actual = rfseg.ops.preprocess(view, network, color=color, resize=resize)
                    packed = rfseg.ops.preprocess(np.array(view, order="C"), network, color=color, resize=resize)
                    assert_identical(actual, packed, (frame_size, network, color, resize))
                    compared += 1
                expected = pillow(view, network, color)
                assert_identical(
                    rfseg.ops.preprocess(view, network, color=color), expected, (frame_size, network, color)
                )
    assert compared == 48


def test_read_only_frames_are_read_and_never_written() -> None:
    frame = noise(np.random.default_rng(6), (50, 70))
    kept = frame.copy()
    frame.flags.writeable = False
    for resize in ("pil", "bilinear"):
        for size in [(24, 32), (50, 70)]:
            first = rfseg.ops.preprocess(frame, size, resize=resize)
            assert first.flags.c_contiguous
            assert first.flags.writeable
            assert not np.shares_memory(first, frame)
            assert_identical(rfseg.ops.preprocess(frame, size, resize=resize), first, (resize, size))
    assert np.array_equal(frame, kept)


@pytest.mark.parametrize("resize", ["pil", "bilinear"])
def test_every_byte_of_every_channel(resize: str) -> None:
    frame = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    expected = twin.normalise(frame.astype(np.float32) / np.float32(255))
    assert np.unique(expected).size == 768
    assert_identical(rfseg.ops.preprocess(frame, (16, 16), resize=resize), expected, resize)


def test_equals_stored_torch() -> None:
    """Without a fused multiply-add torch computes the contract's formula; with it, what the fused twin does."""
    compared = 0
    with np.load(FIXTURES) as stored:
        cases = sum(name.startswith("frame_") for name in stored.files)
        for i in range(cases):
            frame, default, avx2 = stored[f"frame_{i}"], stored[f"default_{i}"], stored[f"avx2_{i}"]
            size = default.shape[1:]
            assert_identical(rfseg.ops.preprocess(frame, size, color="rgb", resize="bilinear"), default, frame.shape)
            fused = twin.preprocess(frame, size, "rgb", "bilinear", fused=True)
            np.testing.assert_allclose(fused, avx2, rtol=0, atol=1e-6)
            compared += default.size
    assert cases >= 12
    assert compared > 15_000


def test_equals_torch_itself() -> None:
    torch = pytest.importorskip("torch", reason="the stored answers of test_equals_stored_torch stand in")
    rng = np.random.default_rng(7)
    mean, std = (torch.from_numpy(v)[:, None, None] for v in (twin.MEAN, twin.STD))
    fused_cases = 0
    for frame_size in [(37, 53), (480, 640), (640, 427), (1080, 1920), (300, 200), (312, 312)]:
        for size in [(312, 312), (432, 432), (100, 200)]:
            frame = noise(rng, frame_size)
            unit = torch.from_numpy(frame).permute(2, 0, 1).contiguous().float().div(255)
            stretched = torch.nn.functional.interpolate(unit[None], size=size, mode="bilinear", align_corners=False)
            expected = ((stretched[0] - mean) / std).numpy()
            plain = np.abs(rfseg.ops.preprocess(frame, size, color="rgb", resize="bilinear") - expected)
            fused = np.abs(twin.preprocess(frame, size, "rgb", "bilinear", fused=True) - expected)
            # On one thread torch rounds in another order, 1.2e-6 away on noise.
            assert np.minimum(plain, fused).max() <= 1.5e-6, (frame_size, size)
            fused_cases += bool(plain.max() > fused.max())
    print(f"torch: {fused_cases} of 18 cases need the fused coordinate")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((4, 5, 3), np.float32), "uint8.*float32"),
        (np.zeros((4, 5), np.uint8), "channel"),
        (np.zeros((4, 5, 1), np.uint8), "3 channels.*1"),
        (np.zeros((4, 5, 4), np.uint8), "3 channels.*4"),
        (np.zeros((3, 40, 50), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((0, 5, 3), np.uint8), "0 x 5|empty"),
        (np.zeros((5, 0, 3), np.uint8), "5 x 0|empty"),
    ],
    ids=["float", "grey", "one_channel", "rgba", "planes_first", "no_rows", "no_columns"],
)
def test_refuses_with_the_reason(frame: np.ndarray, message: str) -> None:
    for resize in ("pil", "bilinear"):
        with pytest.raises(ValueError, match=message):
            rfseg.ops.preprocess(frame, (8, 8), resize=resize)


def test_refuses_what_it_does_not_know() -> None:
    frame = np.zeros((4, 5, 3), np.uint8)
    for size in [(0, 8), (8, -1)]:
        with pytest.raises(ValueError, match="positive"):
            rfseg.ops.preprocess(frame, size)
    with pytest.raises(ValueError, match="bgr"):
        rfseg.ops.preprocess(frame, (8, 8), color="gray")
    with pytest.raises(ValueError, match="pil"):
        rfseg.ops.preprocess(frame, (8, 8), resize="cubic")
    with pytest.raises(ValueError, match="mean holds nan: it must be finite"):
        rfseg.ops.preprocess(frame, (8, 8), mean=(0, float("nan"), 0))
    with pytest.raises(ValueError, match=r"std holds 0\.0+: it must be above 0"):
        rfseg.ops.preprocess(frame, (8, 8), std=(1, 1, 0))
