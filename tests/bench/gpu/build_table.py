"""Recipe by batch: how fast is each engine, and how well does it agree with ONNX Runtime in float32?

Builds each network by each recipe, times it and verifies it on the packaged photographs and on frames of a clip, and
prints one table. "segm/s" is images a second by the Segmenter's own `network_ms`, by which the build chooses; "graph/s"
is a CUDA graph of TensorRT's own context, replayed, which needs torch. Everything goes to $OUT/build_table.json after
every row, so that a run that is cut short keeps its rows.

    RFSEG_TENSORRT=.../libnvinfer.so.10 python tests/bench/gpu/build_table.py --networks shapes=shapes.onnx \
        nano=nano_dynamic.onnx packed=shapes_nano.onnx --clip shapes_1080p.mp4 --budget 450
    ... --networks nano=nano_dynamic.onnx --recipes fp16-fused fp16-flag --batches 1 8      # less
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from replay import replay_ms

import rfseg
from rfseg.engines import machine
from rfseg.engines.batch import Profile
from rfseg.engines.build_report import BuildReport
from rfseg.engines.fold import fold
from rfseg.engines.graph import dimensions, load, network_input
from rfseg.engines.recipes import RECIPES, Recipe
from rfseg.engines.verify import verify
from rfseg.engines.workshop import Workshop

_HEAD = (
    f"{'network':8} {'recipe':11} {'batch':>8} {'built s':>7} {'segm/s':>10} {'graph/s':>9} {'half':>5}"
    f"  {'verdict':17} {'matched':>8} {'IoU p1':>7} {'p50':>6} {'score p50':>9} {'p99':>6}"
    " | clip: matched  IoU p1 score p99"
)


class Table:
    """Rows so far, on paper and in a file."""

    def __init__(self, budget_s: float) -> None:
        self.rows: list[dict[str, Any]] = []
        self._end = time.monotonic() + budget_s
        self._file = Path(os.environ.get("OUT", tempfile.gettempdir())) / "build_table.json"

    def left_s(self) -> float:
        """Of the budget."""
        return self._end - time.monotonic()

    def add(self, row: dict[str, Any]) -> None:
        """Prints and keeps a row."""
        self.rows.append(row)
        self._file.write_text(json.dumps(self.rows, indent=1))
        print(_line(row), flush=True)


def _line(row: dict[str, Any]) -> str:
    text = f"{row['network']:8} {row['recipe']:11} {row['batch']:>8} {row.get('built_s', 0):7.0f}"
    text += f" {row.get('segmenter_images_per_second', 0):10.0f} {row.get('images_per_second', 0):9.0f}"
    known = row.get("half_share") is not None  # the inspector may show no layer
    text += f" {row['half_share']:5.0%}" if known else "     ?"
    if "one_image_per_second" in row:
        text += f"  (1 image alone: {row['one_image_per_second']:.0f}/s)"
    photographs, clip = row.get("photographs"), row.get("clip")
    if photographs:
        p = photographs
        text += f"  {p['verdict']:17} {p['matched_away']:8.2%} {p['iou_p1']:7.4f} {p['iou_p50']:6.4f}"
        text += f" {p['score_p50']:9.5f} {p['score_p99']:6.4f}"
    if clip:
        text += f" | {clip['matched_away']:13.2%} {clip['iou_p1']:7.4f} {clip['score_p99']:10.4f}"
    return text + (f"  {row['error'][:150]}" if row.get("error") else "")


def agreement(engine: Path, model: Path, images: Any, threshold: float | None) -> dict[str, Any]:
    """The figures of a verification."""
    report = verify(engine, model, images, device="cuda", threshold=threshold)
    return {**report.to_dict()["totals"], "verdict": report.verdict, "passed": report.passed, "reasons": report.reasons}


def frames_of(clip: Path, count: int) -> list[Any]:
    """Frames spread over a clip, read with OpenCV: the machine may have no PyAV."""
    import cv2

    capture = cv2.VideoCapture(str(clip))
    step = max(1, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // count)
    frames = []
    while len(frames) < count and capture.grab():
        frames.append(capture.retrieve()[1])
        for _ in range(step - 1):
            capture.grab()
    assert frames, f"{clip} gave no frame"
    return frames


def fix_batch(model: Any, batch: int) -> None:
    """Fixes the batch and folds what that decides."""
    network_input(model).type.tensor_type.shape.dim[0].dim_value = batch
    fold(model)


def one_row(table: Table, shop: Workshop, name: str, path: Path, recipe: Recipe, kind: str, options: Any) -> None:
    """Builds, times and verifies one engine.

    `kind`: "1", "static 8", "1..8", "1|1..8" (two profiles), "plain 1" (the file as it is, as NVIDIA's tool takes it).
    """
    model = load(path)
    if "plain" not in kind:
        fold(model)
    most = int(kind.replace("|", " ").replace("..", " ").split()[-1])
    profiles: list[Profile] = []
    if isinstance(dimensions(network_input(model))[0], str):
        if ".." not in kind:
            fix_batch(model, most)
        elif "|" in kind:
            profiles = [(1, most, most), (1, 1, 1)]
        else:
            profiles = [(1, most, most)]
    for stale in shop.folder.glob("*.onnx"):
        stale.unlink()  # a recipe's graph is written once a model
    one = shop.attempt(model, recipe, profiles, options.timing_cache)
    row: dict[str, Any] = {"network": name, "recipe": recipe.name, "batch": kind, "built_s": one.build_s}
    if one.path is None and not one.build_s:
        table.add({**row, "error": one.error})
        return
    engine = next(shop.folder.glob(f"{recipe.name}-{len(shop.report.attempts)}.engine"))
    row["half_share"] = sum(one.layers.get(half, 0.0) for half in ("float16", "bfloat16")) if one.layers else None
    row["layers"], row["bytes"] = one.layers, engine.stat().st_size
    if one.network_ms:
        row["segmenter_images_per_second"] = round(1e3 / one.batch_ms, 1)
        row["segmenter_one_image_per_second"] = round(1e3 / one.network_ms, 1)
    for part in (_verified, _replayed):  # a row that fails in part is still a row
        try:
            part(row, engine, path, (kind, most, profiles), one.network_ms > 0, options)
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
    table.add(row)
    engine.unlink()


def _verified(row: dict[str, Any], engine: Path, path: Path, what: Any, opens: bool, options: Any) -> None:
    if opens and what[0] in (*options.verify, "plain 1"):
        row["photographs"] = agreement(engine, path, None, None)
        if options.frames:
            row["clip"] = agreement(engine, path, options.frames, 0.3)


def _replayed(row: dict[str, Any], engine: Path, path: Path, what: Any, opens: bool, options: Any) -> None:
    _, most, profiles = what
    ms = replay_ms(engine, most, 0)
    row["replay_ms"], row["images_per_second"] = round(ms, 4), round(most * 1e3 / ms, 1)
    if profiles:
        row["one_image_per_second"] = round(1e3 / replay_ms(engine, 1, len(profiles) - 1), 1)


def plan_of(options: argparse.Namespace) -> list[tuple[str, Path, Recipe, str]]:
    """What to build, the most wanted first: one image by every recipe, then batches by the fast ones."""
    rows: list[tuple[str, Path, Recipe, str]] = []
    for name, path in options.networks.items():
        rows += [(name, path, RECIPES[recipe], "1") for recipe in options.recipes]
        rows += [(name, path, RECIPES["fp16-flag"], "plain 1")] if name in options.plain else []
    for name, path in options.networks.items():
        if isinstance(dimensions(network_input(load(path)))[0], str):
            for batch in [batch for batch in options.batches if batch > 1]:
                for kind in (f"static {batch}", f"1..{batch}", f"1|1..{batch}"):
                    rows += [(name, path, RECIPES[recipe], kind) for recipe in options.batch_recipes]
    return rows


def run(options: argparse.Namespace) -> Table:
    """Works through the plan while the budget lasts."""
    table, longest_s = Table(options.budget), 0.0
    gpu, library = machine.gpu_of("cuda"), machine.tensorrt_library()
    print(f"rfseg {rfseg.__version__}, {gpu.name}, driver {machine.driver_version()}, {library}")
    print(_HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        options.timing_cache = options.timing_cache or Path(folder) / "timing.cache"
        shop = Workshop(BuildReport(Path(folder) / "x.engine"), Path(folder), gpu, library, None)
        for name, path, recipe, kind in plan_of(options):
            if longest_s > table.left_s():
                print(f"not begun, {table.left_s():.0f} s are left: {name} {recipe.name} {kind}")
                continue
            begin = time.monotonic()
            one_row(table, shop, name, path, recipe, kind, options)
            longest_s = 0.7 * max(longest_s, time.monotonic() - begin)  # later builds find measured tactics
    print(f"{len(table.rows)} rows, TensorRT's warnings:", *shop.report.warnings, sep="\n  ")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", required=True, metavar="NAME=FILE.onnx")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--batch-recipes", nargs="*", default=["fp16-fused"], choices=RECIPES)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--verify", nargs="*", default=["1"], help='kinds of batch to verify ("1", "1..8")')
    parser.add_argument(
        "--plain", nargs="*", default=[], metavar="NAME", help="also by the FP16 flag from the file as it is"
    )
    parser.add_argument("--clip", type=Path, help="a video to verify on too, at threshold 0.3")
    parser.add_argument("--clip-frames", type=int, default=27)
    parser.add_argument("--timing-cache", type=Path, help="shared by all builds (default: a temporary one)")
    parser.add_argument("--budget", type=float, default=450.0, help="seconds; no build begins that may not fit (450)")
    options = parser.parse_args()
    options.networks = {name: Path(file) for name, file in (pair.split("=") for pair in options.networks)}
    options.frames = frames_of(options.clip, options.clip_frames) if options.clip else None
    table = run(options)
    return 0 if any("images_per_second" in row for row in table.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
