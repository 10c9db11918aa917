"""What `rfseg run` costs around the network: the same outputs for every frame, so that only the stages count.

`python tests/bench/bench_run.py CLIP [MODEL]` prints frames/s with JSON and with an annotated copy, how busy each stage
was, processor time a frame, and for comparison PyAV's own decoding, alone and with libx264 of the same settings. Needs
`onnx`. On a busy machine read the processor time: frames/s = processors / time at best.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import av
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import rfseg
from rfseg.cli.demo import MODEL

_FRAME = 100  # whose outputs every frame gets


def constant(model: Path, clip: Path, path: Path) -> Path:
    """A network of the model's shape that gives one frame's outputs whatever it sees."""
    graph = onnx.load(str(model)).graph
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    with rfseg.open_video(clip) as video:
        frame = next(islice(video.frames(), _FRAME, None))
    height, width = (size.dim_value for size in graph.input[0].type.tensor_type.shape.dim[2:])
    found = session.run(None, {graph.input[0].name: rfseg.ops.preprocess(frame.pixels, (height, width))[None]})
    names = [output.name for output in graph.output]
    nodes = [helper.make_node("Identity", [f"kept_{name}"], [name]) for name in names]
    shown = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
        for name, value in zip(names, found, strict=True)
    ]
    kept = [numpy_helper.from_array(value, f"kept_{name}") for name, value in zip(names, found, strict=True)]
    made = helper.make_model(
        helper.make_graph(nodes, "constant", [graph.input[0]], shown, kept), opset_imports=[helper.make_opsetid("", 17)]
    )
    made.ir_version = 8
    onnx.save(made, str(path))
    return path


def run(model: Path, clip: Path, saves: str, folder: Path) -> str:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "rfseg", "run", str(model), str(clip), "--save", saves, "--device", "cpu"]
    command += ["--progress", "json", "--out", str(folder / saves)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    event = json.loads(done.stdout.splitlines()[-1])
    stages = ", ".join(f"{name} {share:.2f}" for name, share in event["busy"].items())
    each = event["processors"] * event["seconds"] / event["frames"] * 1e3
    rate = f"{event['frames_per_second']:.1f} frames/s, {each:.1f} ms of processors a frame"
    return f"{rate}, limit {event['limit']} ({stages})"


def by_pyav(clip: Path, path: Path | None) -> str:
    """Decoding alone, or with the copy's encoder behind it."""
    began, worked, frames = time.perf_counter(), time.process_time(), 0
    with av.open(str(clip)) as source, av.open(str(path or "/dev/null"), "w", format="mp4") as out:
        source.streams.video[0].thread_type = "AUTO"
        options = {"crf": "20", "preset": "veryfast", "bf": "0"}
        stream = None
        for frame in source.decode(video=0):
            frames += 1
            if path is None:
                continue
            if stream is None:
                stream = out.add_stream("libx264", rate=source.streams.video[0].average_rate, options=options)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            out.mux(stream.encode(frame))
        if stream is not None:
            out.mux(stream.encode(None))
    seconds, each = time.perf_counter() - began, (time.process_time() - worked) / frames * 1e3
    return f"{frames / seconds:.1f} frames/s, {each:.1f} ms of processors a frame"


def main() -> None:
    clip, model = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else MODEL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = constant(model, clip, folder / "constant.onnx")
        print("PyAV decode          ", by_pyav(clip, None))
        print("PyAV decode + libx264", by_pyav(clip, folder / "pyav.mp4"))
        for saves in ("json", "video", "json,video"):
            print(f"rfseg run, {saves:10}", run(network, clip, saves, folder))


if __name__ == "__main__":
    main()
