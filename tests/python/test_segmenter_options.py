"""What a Segmenter is told when it is opened: what each option does, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import rfseg
from paths import DEMO_MODEL


def test_thresholds(frames: list[np.ndarray], seg: rfseg.Segmenter) -> None:
    everything = seg.infer(frames[0])
    with rfseg.Segmenter(DEMO_MODEL, threshold=0.0, max_detections=5) as few:
        assert len(few.infer(frames[0])) == 5
    with rfseg.Segmenter(DEMO_MODEL, threshold=1.0) as none:
        empty = none.infer(frames[0])
    assert len(empty) == 0
    assert not empty
    assert empty.xyxy.shape == (0, 4)
    assert empty.polygons() == []
    name, other = everything.class_name[0], everything.class_name[-1]
    assert name != other
    number = int(everything.class_id[-1])
    with rfseg.Segmenter(DEMO_MODEL, threshold={name: 1.0, number: 0.0}) as by_class:
        result = by_class.infer(frames[0])
    assert name not in result.class_name
    assert result.class_name.count(other) > everything.class_name.count(other)
    kept = [i for i, label in enumerate(everything.class_name) if label not in {name, other}]
    rest = [i for i, label in enumerate(result.class_name) if label != other]
    assert np.array_equal(result.confidence[rest], everything.confidence[kept])


def test_options_out_of_range_are_refused() -> None:
    def refuse(sentence: str, **options: object) -> None:
        with pytest.raises(rfseg.InputError, match=sentence):
            rfseg.Segmenter(DEMO_MODEL, **options)  # type: ignore[arg-type]

    refuse(r"threshold is 1\.5: it must be in 0\.\.1", threshold=1.5)
    refuse(r"threshold is nan", threshold=float("nan"))
    refuse(r"threshold of class 'star' is -1: it must be in 0\.\.1", threshold={"star": -1})
    refuse(r"a threshold is given for class 'dragon', which the model does not have", threshold={"dragon": 0.5})
    refuse(r"a threshold is given for class 9, which the model does not have", threshold={9: 0.5})
    refuse(r"max_detections is 0: it must be in 1\.\.1000000", max_detections=0)
    refuse(r"slots is 1025: it must be in 0\.\.1024", slots=1025)
    refuse(r"max_batch is -1: it must be in 0\.\.1024", max_batch=-1)
    refuse(r"lanes is 65: it must be in 0\.\.64", lanes=65)
    refuse(r"threads is -1: it must be in 0\.\.1024", threads=-1)
    refuse(r"color is 'gbr': it must be \"bgr\" or \"rgb\"", color="gbr")
    refuse(r"resize is 'cubic': it must be \"auto\", \"pil\" or \"bilinear\"", resize="cubic")
    refuse(r"stages is 'gpu': it must be \"device\" or \"host\"", stages="gpu")
    refuse(r"mode is 'all': it must be \"external\", \"tree\" or \"largest\"", outlines="all")
    refuse(
        r"device is 'gpu': it must be \"auto\", \"cpu\", \"cuda\", \"cuda:N\", \"cuda:all\" or several", device="gpu"
    )
    for odd in ["cuda:x", "cuda:0,", "cpu,cuda:0", "cuda:all,cuda:0"]:
        refuse(f"device is '{odd}': it must be", device=odd)
    for other in [b"cpu", None, True, 1.5, []]:
        refuse(r"device is .*: it must be \"auto\", .* or a list of GPUs", device=other)


def test_options_of_one_frame_are_checked_as_those_of_all(frames: list[np.ndarray], seg: rfseg.Segmenter) -> None:
    def refuse(sentence: str, **options: object) -> None:
        for call in (seg.infer, seg.submit):
            with pytest.raises(rfseg.InputError, match=sentence):
                call(frames[0], **options)  # type: ignore[operator]

    for odd in ["0.5", True, np.True_, [0.5]]:
        refuse(r"threshold is .*: it must be a number in 0\.\.1", threshold=odd)
        refuse(r"threshold is .*: it must be a number in 0\.\.1", threshold={None: odd})
        refuse(r"threshold of class 0 \(int\) is .*: it must be a number in 0\.\.1", threshold={0: odd})
    refuse(r"threshold is 2: it must be in 0\.\.1", threshold=2)
    refuse(r"threshold of class 0 \(int\) is None", threshold={0: None})
    refuse(
        r"a class in threshold is 10{12} \(int\): it must be a whole number of sensible size", threshold={10**12: 0.5}
    )
    refuse(r"a class in classes is 10{12} \(int\): it must be a whole number of sensible size", classes=[10**12])
    refuse(r"a class in classes ", classes="\udc80")
    refuse(r"classes is 1\.5: it must be a class or several", classes=1.5)
    refuse(r"classes asks for class 'dragon', which the model does not have", classes=["dragon"])


def test_devices_never_fall_back() -> None:
    with rfseg.Segmenter(DEMO_MODEL, device="cpu") as segmenter:
        assert segmenter.device == "cpu"
    with pytest.raises(rfseg.BackendError, match=r"no NVIDIA driver: .*; install NVIDIA's driver, 525 or later"):
        rfseg.Segmenter(DEMO_MODEL, device="cuda")
    with pytest.raises(rfseg.BackendError, match=r"device 'cpu' runs ONNX files, and x\.engine is a TensorRT engine"):
        rfseg.Segmenter("x.engine", device="cpu")
    with pytest.raises(rfseg.ModelError, match=r"x\.pt is neither an ONNX file \(\.onnx\) nor a TensorRT engine"):
        rfseg.Segmenter("x.pt")


def test_auto_says_once_what_it_chose(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="rfseg"), rfseg.Segmenter(DEMO_MODEL):
        pass
    chosen = [record.message for record in caplog.records if "device auto" in record.message]
    assert len(chosen) == 1
    assert "cpu, because" in chosen[0]


def test_names(caplog: pytest.LogCaptureFixture, frames: list[np.ndarray], tmp_path: Path) -> None:
    with rfseg.Segmenter(DEMO_MODEL, names=[f"n{i}" for i in range(8)]) as segmenter:
        assert segmenter.names == {i: f"n{i}" for i in range(8)}
    with rfseg.Segmenter(DEMO_MODEL, names={3: "star"}) as segmenter:
        assert set(segmenter.infer(frames[0]).class_id.tolist()) <= {3}
    text = tmp_path / "names.txt"
    text.write_text("a\nb\nc\nd\ne\nf\ng\nh\n")
    with rfseg.Segmenter(DEMO_MODEL, names=text) as segmenter:
        assert segmenter.names[7] == "h"
    with pytest.raises(rfseg.InputError, match="names"):
        rfseg.Segmenter(DEMO_MODEL, names=["only", "two"])
    with pytest.raises(rfseg.InputError, match="no such file"):
        rfseg.Segmenter(DEMO_MODEL, names="no/such/file.txt")
    with pytest.raises(rfseg.InputError, match=r"names=: a class name is 1 .int.: it must be a text"):
        rfseg.Segmenter(DEMO_MODEL, names=[1, 2])  # type: ignore[list-item]
