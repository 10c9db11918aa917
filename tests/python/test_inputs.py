"""Frames that cannot be used are refused with a sentence that says how to fix it, and the Segmenter goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL

GOOD = np.zeros((48, 64, 3), np.uint8)

REFUSED: list[tuple[Any, str]] = [
    (GOOD.astype(np.float32), r"expected uint8, got float32: multiply by 255 and convert"),
    (GOOD.astype(np.float64), r"expected uint8, got float64: multiply by 255 and convert"),
    (GOOD.astype(np.uint16), r"expected uint8, got uint16: convert with frame\.astype\(numpy\.uint8\)"),
    (GOOD.astype(bool), r"expected uint8, got bool: convert with frame\.astype\(numpy\.uint8\) \* 255"),
    (GOOD[..., 0], r"expected 3 channels, got 1: a grey frame \[48, 64\]; convert with cv2\.cvtColor"),
    (GOOD[..., :1], r"expected 3 channels, got 1: a grey frame \[48, 64, 1\]"),
    (np.zeros((48, 64, 4), np.uint8), r"expected 3 channels, got 4: .* with alpha; drop it with frame\[:, :, :3\]"),
    (np.zeros((48, 64, 2), np.uint8), r"expected 3 channels, got 2: a frame \[48, 64, 2\]"),
    (GOOD.transpose(2, 0, 1), r"got \[3, 48, 64\], which looks like \[3, H, W\]: use frame\.transpose\(1, 2, 0\)"),
    (GOOD[None], r"expected one frame \[H, W, 3\], got a batch \[1, 48, 64, 3\]: pass one frame at a time"),
    (GOOD[:0], r"the frame \[0, 64, 3\] is empty: it has no pixels"),
    (GOOD[:, :0], r"the frame \[48, 0, 3\] is empty: it has no pixels"),
    (np.zeros(5, np.uint8), r"expected a frame \[H, W, 3\], got \[5\]"),
    (GOOD.tolist(), r"expected a NumPy array uint8 \[H, W, 3\], got list: convert with numpy\.asarray\(frame\)"),
    (None, r"expected a NumPy array uint8 \[H, W, 3\], got NoneType"),
    ("frame.jpg", r"expected a NumPy array uint8 \[H, W, 3\], got str"),
]


@pytest.mark.parametrize(("frame", "sentence"), REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_refused_everywhere(seg: rfseg.Segmenter, frame: Any, sentence: str) -> None:
    for call in (seg.infer, seg.submit, lambda f: rfseg.ops.preprocess(f, (32, 32)), lambda f: list(seg.stream([f]))):
        with pytest.raises(rfseg.InputError, match=sentence):
            call(frame)
        with pytest.raises(ValueError, match=sentence):
            call(frame)
    assert seg.infer(GOOD).image_size == (48, 64), "the Segmenter must go on"


def test_pillow_image_is_taken_in_its_own_order(seg: rfseg.Segmenter, frames: list[np.ndarray]) -> None:
    from PIL import Image

    found, expected = seg.infer(Image.fromarray(frames[0][..., ::-1])), seg.infer(frames[0])
    assert len(expected) > 3
    assert np.array_equal(found.confidence, expected.confidence)
    assert found.masks.coco() == expected.masks.coco()


def test_read_only_and_strided_views_are_taken(seg: rfseg.Segmenter) -> None:
    random = np.random.default_rng(0).integers(0, 256, (97, 131, 3), np.uint8)
    random.flags.writeable = False
    for view in (
        random,
        random[::-1],
        random[:, ::-1],
        random[..., ::-1],
        random[::3, 1::2],
        np.asfortranarray(random),
    ):
        expected = rfseg.ops.preprocess(np.ascontiguousarray(view), (312, 312))
        assert np.array_equal(rfseg.ops.preprocess(view, (312, 312)), expected)
        assert seg.infer(view).image_size == view.shape[:2]


def test_color_swaps_channels() -> None:
    random = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    bgr = rfseg.ops.preprocess(random, (32, 32), color="bgr")
    assert np.array_equal(bgr, rfseg.ops.preprocess(random[..., ::-1].copy(), (32, 32), color="rgb"))
    assert not np.array_equal(bgr, rfseg.ops.preprocess(random, (32, 32), color="rgb"))


def test_ops_refuse_bad_arguments() -> None:
    with pytest.raises(rfseg.InputError, match=r"size is \(0, 32\): height and width must be positive"):
        rfseg.ops.preprocess(GOOD, (0, 32))
    dets, labels, masks = np.zeros((5, 4), np.float32), np.zeros((5, 9), np.float32), np.zeros((5, 8, 8), np.float32)

    def refuse(sentence: str, **changed: Any) -> None:
        arguments: dict[str, Any] = {"dets": dets, "labels": labels, "masks": masks, "image_size": (10, 12), **changed}
        with pytest.raises(rfseg.InputError, match=sentence):
            rfseg.ops.postprocess(**arguments)

    refuse(r"dets: expected the outputs of one image, got a batch: pass dets\[i\]", dets=dets[None])
    refuse(
        r"labels: expected float32, got float64: convert with \.astype\(numpy\.float32\)", labels=labels.astype(float)
    )
    refuse(r"dets: expected \[Q, 4\], got \[Q, 5\]", dets=np.zeros((5, 5), np.float32))
    refuse(r"disagree on the number of queries: 4, 5, 5", dets=dets[:4])
    refuse(r"threshold is 2", threshold=2)
    refuse(r"max_detections is 0: it must be at least 1", max_detections=0)
    refuse(r"num_classes is 10, but labels has 9 columns", num_classes=10)
    refuse(r"0 x 5|0x5", image_size=(0, 5))


class Producer:
    """An object that offers one of the protocols for device memory, and gives what it was told to."""

    def __init__(self, device: Any = None, tensor: Any = None, interface: Any = None) -> None:
        if device is not None:
            self.__dlpack_device__ = lambda: raise_or_give(device)
            self.__dlpack__ = lambda stream=None: raise_or_give(tensor)
        if interface is not None:
            self.__cuda_array_interface__ = interface


def raise_or_give(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (Producer(device=(1, 0)), r"got Producer in host memory: convert with numpy\.asarray\(frame\)"),
        (Producer(device=(2, 0)), r"\(Producer\) is in device memory, but nothing here runs on a GPU"),
        (Producer(interface={}), r"\(Producer\) is in device memory, but nothing here runs on a GPU"),
        (Producer(device=()), r"\(Producer\) cannot be read through its __dlpack__: IndexError: "),
        (Producer(device=("cuda", 0)), r"cannot be read through its __dlpack__: ValueError: .*'cuda'"),
        (Producer(device=7), r"cannot be read through its __dlpack__: "),
        (Producer(device=BufferError("it requires grad")), r"through its __dlpack__: BufferError: it requires grad"),
    ],
)
def test_device_memory_is_refused_without_a_gpu(seg: rfseg.Segmenter, frame: Any, sentence: str) -> None:
    for call in (seg.infer, seg.submit, lambda f: rfseg.ops.preprocess(f, (32, 32))):
        with pytest.raises(rfseg.InputError, match=sentence):
            call(frame)
    assert seg.infer(GOOD).image_size == (48, 64), "the Segmenter must go on"


def test_an_interrupt_in_a_producer_is_no_bad_frame(seg: rfseg.Segmenter) -> None:
    with pytest.raises(KeyboardInterrupt):
        seg.infer(Producer(device=KeyboardInterrupt()))  # type: ignore[arg-type]


def test_a_producer_is_not_asked_by_a_closed_segmenter() -> None:
    segmenter = rfseg.Segmenter(DEMO_MODEL)
    segmenter.close()
    with pytest.raises(rfseg.Error, match="closed"):
        segmenter.infer(Producer(device=AssertionError("it was asked")))  # type: ignore[arg-type]


def test_a_producer_may_use_the_segmenter_that_asks_it(seg: rfseg.Segmenter) -> None:
    class Returning:
        def __dlpack_device__(self) -> tuple[int, int]:
            raise RuntimeError(f"saw a frame of {seg.infer(GOOD).image_size}")

    with pytest.raises(rfseg.InputError, match=r"saw a frame of \(48, 64\)"):
        seg.infer(Returning())  # type: ignore[arg-type]
    assert seg.infer(GOOD).image_size == (48, 64)
