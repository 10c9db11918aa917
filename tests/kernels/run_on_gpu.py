"""Checks the compiled kernels on a GPU at the sizes they are for, and times them: run by hand, not by pytest.

    python -m triton_kernels.build --out DIR && python tests/kernels/run_on_gpu.py --kernels DIR

Each section runs in a process of its own, so that one that breaks the context does not take the others with it. Exits 1
when anything differs.
"""

# ruff: noqa: E402 - a script has to say where its packages are

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from triton_kernels import abi, image_file

from kernels.cuda_device import CudaDevice
from kernels.report import Report
from kernels.scenes import HD, NETWORKS, UHD, contract_masks, expected_records, frame_of, scene, select_cases
from kernels.stages import (
    RECORD,
    Launch,
    MaskOutputs,
    bilinear_launches,
    mask_launches,
    read_fields,
    resize_launches,
    select_launch,
)
from reference.postprocess import dense_mask
from reference.preprocess import preprocess

CAPACITY = 1 << 20


def check_preprocess(device: CudaDevice, report: Report) -> None:
    """Every network at two frame sizes, odd frames, f16, bilinear; times."""
    cases = [(HD, side) for side, _, _ in NETWORKS.values()] + [(UHD, 312), (UHD, 768)]
    cases += [((312, 312), 312), ((1, 1), 312), ((2, 3), 312), ((1280, 719), 312), ((427, 640), 312), ((176, 312), 312)]
    for source, side in cases:
        frame = frame_of(*source)
        for resize, launches_of in (("pil", resize_launches), ("bilinear", bilinear_launches)):
            for half, bgr in ((False, True), (True, False)):
                launches, target = launches_of(device, frame, (side, side), bgr, half)
                for launch in launches:
                    device.launch(launch)
                dtype = np.float16 if half else np.float32
                values = device.read(target, dtype, 3 * side * side).reshape(3, side, side)
                expected = preprocess(frame, (side, side), "bgr" if bgr else "rgb", resize).astype(dtype)
                what = f"{resize} {source} -> {side} {dtype.__name__} {'bgr' if bgr else 'rgb'}"
                report.equal(what, values, expected)
    for source, side in ((HD, 312), (HD, 768), (UHD, 312), (UHD, 768), ((720, 1280), 312), ((1280, 720), 312)):
        frame = frame_of(*source)
        for launches_of in (resize_launches, bilinear_launches):
            time_launches(device, f"{source} -> {side}", launches_of(device, frame, (side, side))[0])


def time_launches(device: CudaDevice, what: str, launches: list[Launch]) -> None:
    """Prints the time of each launch and of all in a row."""
    each = [(launch.kernel, device.time_us([launch])) for launch in launches]
    if len(launches) > 1:
        each.append(("all", device.time_us(launches)))
    for (name, (median, late)), launch in zip(each, [*launches, None], strict=False):
        grid = f"grid {launch.grid}" if launch else ""
        print(f"  time    {what:32s} {name:16s} {median:8.2f} us  p90 {late:8.2f}  {grid}", flush=True)


def words_of(records: np.ndarray) -> np.ndarray:
    """[K, words of a record]."""
    return records.view(np.int32).reshape(-1, RECORD.itemsize // 4)


def check_select(device: CudaDevice, report: Report) -> None:
    """Random and hostile logits of real sizes, 20 times each: the answer may not depend on the order of atomics."""
    for what, labels, cuts in select_cases():
        dets = np.random.default_rng(0).normal(size=(len(labels), 4)).astype(np.float32)
        for dtype in (np.float32, np.float16):
            launch = compare_select(
                device, report, f"select {what} {dtype.__name__}", labels.astype(dtype), dets.astype(dtype), cuts
            )
        time_launches(device, what, [launch])


def compare_select(
    device: CudaDevice, report: Report, what: str, labels: np.ndarray, dets: np.ndarray, cuts: np.ndarray
) -> Launch:
    """Every word that select promises."""
    launch, selection = select_launch(device, labels, dets, cuts, 300)
    records, slots = expected_records(labels, dets, cuts, 300)
    answers = []
    for _ in range(20):
        device.launch(launch)
        found = read_fields(device, selection, "Selection")
        given = words_of(found["records"][: found["record_count"][0]])
        answers.append(given.tobytes() + found["slot_query"][: found["slot_count"][0]].tobytes())
    report.equal(what, given, words_of(records), f"{found['passing_count'][0]} ranked")
    report.equal(what + " slots", found["slot_query"][: found["slot_count"][0]], slots)
    cleared = [found[name] for name in ("toggle_count", "flags", "reserved", "slot_toggles")]
    report.equal(what + " cleared", np.concatenate(cleared).any(), False)
    report.equal(what + " repeated", np.array([answer == answers[0] for answer in answers]), np.ones(20, bool))
    return launch


def mask_case(
    device: CudaDevice, frame: tuple[np.ndarray, ...], image_size: tuple[int, int], capacity: int = CAPACITY
) -> tuple[list[Launch], MaskOutputs]:
    """The three launches of a frame, and where their results are."""
    labels, dets, masks = frame
    select, selection = select_launch(device, labels, dets, np.zeros(labels.shape[1], np.float32), 300)
    programs = abi.mask_grid(device.multiprocessors)
    slots = min(300, len(labels))
    launches, outputs = mask_launches(device, masks, selection, slots, image_size, capacity, programs)
    return [select, *launches], outputs


def poisoned(values: np.ndarray, count: int) -> np.ndarray:
    """`values` and behind them what nobody wrote, `count` in all."""
    words = np.full((count, *values.shape[1:]), 0xA5A5A5A5, np.uint32).view(np.int32)
    words[: len(values)] = values
    return words


def compare_masks(
    device: CudaDevice, report: Report, what: str, frame: tuple[np.ndarray, ...], image_size: tuple[int, int]
) -> tuple[list[Launch], MaskOutputs, int]:
    """Every word that the host is handed, against dense twins; the launches, the outputs and how many toggles."""
    labels, dets, masks = frame
    launches, outputs = mask_case(device, frame, image_size)
    for launch in launches:
        device.launch(launch)
    found = read_fields(device, outputs.hand_back, "HandBack")
    records, queries = expected_records(labels, dets, np.zeros(labels.shape[1], np.float32), 300)
    expected = [np.zeros(0, np.int64)]
    for query in queries:
        pixels = np.pad(dense_mask(masks[query].astype(np.float32), image_size).T.reshape(-1), 1)
        expected.append(np.flatnonzero(pixels[1:] != pixels[:-1]))
    toggles, ends = np.concatenate(expected), np.cumsum([len(toggles) for toggles in expected])
    counts = [found[name][0] for name in ("record_count", "slot_count", "toggle_count", "flags")]
    report.equal(what + " counts", np.array(counts), [len(records), len(queries), len(toggles), 0])
    report.equal(what + " records", words_of(found["records"]), poisoned(words_of(records), abi.MAX_QUERIES))
    report.equal(what + " ends", found["toggle_end"], poisoned(ends[1:], abi.MAX_QUERIES))
    beyond = len(toggles) + 64
    report.equal(what, device.read(outputs.toggles, np.int32, beyond), poisoned(toggles, beyond))
    return launches, outputs, len(toggles)


def check_masks(device: CudaDevice, report: Report) -> None:
    """Scenes of real sizes, with times, and the masks of contract section 5."""
    cases = [("nano", HD, 10, 300), ("nano", HD, 1, 0), ("nano", HD, 10, 0), ("nano", UHD, 10, 600), ("nano", HD, 0, 1)]
    cases += [("2xlarge", UHD, 10, 600), ("2xlarge", HD, 40, 150), ("xlarge", HD, 300, 60), ("nano", (1, 5000), 3, 0)]
    cases += [("nano", (720, 1280), 10, 200), ("medium", (312, 176), 5, 60), ("nano", (40, 50), 4, 20)]
    for network, image_size, instances, size_px in cases:
        labels, dets, masks = scene(network, image_size, instances, size_px)
        what = f"masks {network} {image_size} {instances}x{size_px}px"
        compare_masks(device, report, what + " f32", (labels, dets, masks), image_size)
        narrow = (labels, dets, masks.astype(np.float16))
        launches, outputs, toggles = compare_masks(device, report, what + " f16", narrow, image_size)
        report.equal(what + " repeated", replays_agree(device, launches, outputs, toggles), np.ones(100, bool))
        time_launches(device, what, launches)
    for name, masks, image_size in contract_masks():
        labels = np.arange(len(masks), 0, -1, np.float32)[:, None]
        dets = np.random.default_rng(0).random((len(masks), 4), np.float32)
        for logits in (masks, masks.astype(np.float16)):
            compare_masks(device, report, f"masks {name} {logits.dtype}", (labels, dets, logits), image_size)


def replays_agree(device: CudaDevice, launches: list[Launch], outputs: MaskOutputs, toggles: int) -> np.ndarray:
    """Whether each of 100 replays of the frame as a graph gives the same bytes."""
    replay = device.graph(launches)
    answers = []
    for _ in range(100):
        replay()
        device.wait()
        answers.append(device.read(outputs.toggles, np.int32, toggles).tobytes())
    return np.array([answer == answers[0] for answer in answers])


def check_overflow(device: CudaDevice, report: Report) -> None:
    """A frame with more toggles than fit writes none and says how many there are."""
    counts = []
    for capacity in (CAPACITY, 100):
        launches, outputs = mask_case(device, scene("nano", HD, 10, 300), HD, capacity)
        for launch in launches:
            device.launch(launch)
        found = read_fields(device, outputs.hand_back, "HandBack")
        counts.append(found["toggle_count"][0])
    report.equal("overflow flag", found["flags"][0], abi.TOGGLE_OVERFLOW)
    report.equal("overflow count", counts[1], counts[0])
    report.equal("overflow writes nothing", device.read(outputs.toggles, np.uint32, 100), np.full(100, 0xA5A5A5A5))


SECTIONS: dict[str, Callable[[CudaDevice, Report], None]] = {
    "preprocess": check_preprocess,
    "select": check_select,
    "masks": check_masks,
    "overflow": check_overflow,
}


def run_section(name: str, kind: str, file: Path) -> int:
    """One section in this process."""
    report = Report()
    device = CudaDevice(image_file.read(file.read_bytes()), kind)
    where = f"{device.name}, cc {device.capability}, {device.multiprocessors} SMs"
    print(f"== {name} from {kind} images on {where}", flush=True)
    began = time.monotonic()
    try:
        SECTIONS[name](device, report)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        report.failures += 1
    took = time.monotonic() - began
    print(f"== {name}: {report.checks} checks, {report.failures} failures, {took:.0f} s", flush=True)
    return int(report.failures > 0 or report.checks == 0)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", type=Path, required=True, help="folder or file of kernels.bin")
    parser.add_argument("--section", choices=SECTIONS, help="only this one, in this process")
    parser.add_argument("--kind", choices=abi.IMAGE_KINDS, default="cubin")
    arguments = parser.parse_args()
    file = arguments.kernels / "kernels.bin" if arguments.kernels.is_dir() else arguments.kernels
    if arguments.section:
        return run_section(arguments.section, arguments.kind, file)
    runs = [(name, "cubin") for name in SECTIONS] + [("overflow", "ptx"), ("select", "ptx")]
    failed = []
    for name, kind in runs:
        command = [sys.executable, __file__, "--kernels", str(file), "--section", name, "--kind", kind]
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(f"{name} from {kind}")
    print(f"summary: {len(runs)} sections, failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
