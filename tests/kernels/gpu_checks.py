"""The compiled kernels against the twins at the sizes that they are for, exact: the sections of run_on_gpu.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from triton_kernels import abi

from kernels.batches import Asked, asked_of_scene, postprocess_launches
from kernels.cuda_device import CudaDevice
from kernels.planar import FORMATS, Planar, random_planar
from kernels.report import Report
from kernels.scenes import HD, NETWORKS, UHD, contract_masks, expected_records, frame_of, select_cases
from kernels.stages import (
    RECORD,
    Launch,
    Members,
    gather_launch,
    gather_rows_launch,
    preprocess_launches,
    preprocess_members,
    read_fields,
    select_launch,
    select_members,
    upload_params,
)
from reference.postprocess import dense_mask
from reference.preprocess import preprocess

ODD = [(312, 312), (1, 1), (2, 3), (1280, 719), (427, 640), (176, 312)]


def check_preprocess(device: CudaDevice, report: Report) -> None:
    """Every network at two frame sizes, odd frames, f16, bilinear; views of every kind; batches of mixed sizes."""
    cases = [(HD, side) for side, _, _ in NETWORKS.values()] + [(UHD, 312), (UHD, 768)] + [(odd, 312) for odd in ODD]
    for source, side in cases:
        for resize in ("pil", "bilinear"):
            for half, bgr in ((False, True), (True, False)):
                compare_inputs(device, report, [(frame_of(*source), bgr)], side, half, resize)
    frame = frame_of(*HD)
    views = [frame[::-1], frame[:, ::-1], frame[..., ::-1], np.asfortranarray(frame), frame[7:1000:2, 5:1900:3]]
    mixed = [(frame, True), None, *((frame_of(*size), i % 2 == 0) for i, size in enumerate([UHD, (720, 1280), *ODD]))]
    for resize in ("pil", "bilinear"):
        compare_inputs(device, report, [(view, True) for view in views], 312, False, resize)
        for half in (False, True):
            compare_inputs(device, report, [*mixed, None], 312, half, resize)
    for view in (frame, *views):
        launch, packed = gather_launch(device, view, abi.resize_grid(device.multiprocessors))
        device.launch(launch)
        report.equal(f"gather {view.shape} {view.strides}", device.read(packed, np.uint8, view.size), view.reshape(-1))


def compare_inputs(
    device: CudaDevice,
    report: Report,
    batch: Sequence[tuple[np.ndarray | Planar, bool] | None],
    side: int,
    half: bool,
    resize: str,
) -> None:
    """The input of each (frame, bgr) of a batch; where there is none nothing may be written. Planes ignore `bgr`."""
    members = [each and preprocess_members(device, each[0], (side, side), each[1], resize) for each in batch]
    programs = abi.resize_grid(device.multiprocessors)
    launches, target = preprocess_launches(device, members, (side, side), half, resize, programs)
    for launch in launches:
        device.launch(launch)
    dtype = np.float16 if half else np.float32
    values = device.read(target, dtype, len(batch) * 3 * side * side).reshape(len(batch), 3, side, side)
    for i, (value, each) in enumerate(zip(values, batch, strict=True)):
        what = f"{resize} {i + 1}/{len(batch)} {each and each[0].shape} -> {side} {dtype.__name__}"
        if each is None:
            report.equal(what, value.view(np.uint8), np.full(value.nbytes, 0xA5, np.uint8).reshape(3, side, -1))
        else:
            planes = isinstance(each[0], Planar)
            packed, color = (each[0].rgb(), "rgb") if planes else (each[0], "bgr" if each[1] else "rgb")
            report.equal(what, value, preprocess(packed, (side, side), color, resize).astype(dtype))


def check_planes(device: CudaDevice, report: Report) -> None:
    """Every format at 1080p and odd sizes, 4K, every matrix and range; batches with packed pixels; packing."""
    sizes = [HD, (1920, 1080), *ODD, (312, 312), (500, 312), (312, 501)]
    cases = [(UHD, "nv12"), (UHD, "p010"), *((size, format) for size in sizes for format in FORMATS)]
    for resize in ("pil", "bilinear"):
        for number, (size, format) in enumerate(cases):
            compare_inputs(device, report, [(random_planar(format, *size), True)], 312, number % 2 == 0, resize)
        for matrix in ("bt601", "bt709", "bt2020"):
            colours = [random_planar(f, 719, 1280, matrix, r) for f in ("nv12", "p010") for r in ("limited", "full")]
            compare_inputs(device, report, [(frame, True) for frame in colours], 312, False, resize)
        planes = [random_planar(f, *size) for f, size in zip(FORMATS, [HD, (719, 1280), UHD, *ODD], strict=False)]
        packed = [(frame_of(*size), i % 2 == 0) for i, size in enumerate([HD, (1, 1), (720, 1280), *ODD])]
        mixed = [pair for frame, other in zip(planes, packed, strict=False) for pair in ((frame, True), other, None)]
        compare_inputs(device, report, mixed, 312, True, resize)
    memory = np.random.default_rng(0).integers(0, 256, (2160, 4096), np.uint8)
    for rows in (memory, memory[:1080, :1920], memory[::-1, 8:3848], memory[:719, 3:1280], memory[:1, :1]):
        launch, target = gather_rows_launch(device, rows, abi.resize_grid(device.multiprocessors))
        device.launch(launch)
        found = device.read(target, np.uint8, rows.size)
        report.equal(f"gather_rows {rows.shape} {rows.strides}", found, rows.reshape(-1))


def words_of(records: np.ndarray) -> np.ndarray:
    """[K, words of a record]."""
    return records.view(np.int32).reshape(-1, RECORD.itemsize // 4)


def check_select(device: CudaDevice, report: Report) -> None:
    """Random and hostile logits of real sizes, 20 times each: the answer may not depend on the order of atomics."""
    for what, labels, cuts in select_cases():
        dets = np.random.default_rng(0).normal(size=(3, len(labels), 4)).astype(np.float32)
        # Three images: the labels, the labels upside down with fewer detections, none.
        batch = np.stack([labels, labels[::-1], labels])
        for dtype in (np.float32, np.float16):
            name = f"select {what} {dtype.__name__}"
            compare_select(device, report, name, batch.astype(dtype), dets.astype(dtype), cuts)


def compare_select(
    device: CudaDevice, report: Report, what: str, labels: np.ndarray, dets: np.ndarray, cuts: np.ndarray
) -> None:
    """Every word that select promises of each image; the last image is not there."""
    most = [300, 17, 0]
    members = [select_members(device, cuts, each) if each else None for each in most]
    launch, selection = select_launch(device, upload_params(device, members), labels, dets)
    expected = [expected_records(*each, cuts, count) for *each, count in zip(labels, dets, most, strict=True)]
    answers = []
    for _ in range(20):
        device.launch(launch)
        found = [
            read_fields(device, selection + i * abi.struct_size("Selection"), "Selection") for i in range(len(most))
        ]
        given = [words_of(fields["records"][: fields["record_count"][0]]) for fields in found]
        slots = [fields["slot_query"][: fields["slot_count"][0]] for fields in found]
        answers.append(b"".join(array.tobytes() for array in (*given, *slots)))
    for i, fields in enumerate(found):
        note = f"{fields['passing_count'][0]} ranked"
        report.equal(f"{what} {i}", given[i], words_of(expected[i][0]), note)
        report.equal(f"{what} {i} slots", slots[i], np.array(expected[i][1], np.int32))
        cleared = [fields[name] for name in ("toggle_count", "flags", "reserved", "slot_toggles")]
        report.equal(f"{what} {i} cleared", np.concatenate(cleared).any(), False)
    report.equal(what + " repeated", np.array([answer == answers[0] for answer in answers]), np.ones(20, bool))


def poisoned(values: np.ndarray, count: int) -> np.ndarray:
    """`values` and behind them what nobody wrote, `count` in all."""
    words = np.full((count, *values.shape[1:]), 0xA5A5A5A5, np.uint32).view(np.int32)
    words[: len(values)] = values
    return words


def compare_handed_back(device: CudaDevice, report: Report, what: str, asked: Asked, members: Members) -> int:
    """Every word that the host is handed of an image, against dense twins; how many toggles it has."""
    found = read_fields(device, members["hand_back"], "HandBack")
    records, queries = expected_records(asked.labels, asked.dets, asked.cuts, asked.max_detections)
    expected = [np.zeros(0, np.int64)]
    for query in queries:
        pixels = np.pad(dense_mask(asked.masks[query].astype(np.float32), asked.image_size).T.reshape(-1), 1)
        expected.append(np.flatnonzero(pixels[1:] != pixels[:-1]))
    toggles, ends = np.concatenate(expected), np.cumsum([len(toggles) for toggles in expected])
    flags = abi.TOGGLE_OVERFLOW if len(toggles) > asked.capacity else 0
    counts = [found[name][0] for name in ("record_count", "slot_count", "toggle_count", "flags")]
    report.equal(what + " counts", np.array(counts), [len(records), len(queries), len(toggles), flags])
    report.equal(what + " records", words_of(found["records"]), poisoned(words_of(records), abi.MAX_QUERIES))
    report.equal(what + " ends", found["toggle_end"], poisoned(ends[1:], abi.MAX_QUERIES))
    beyond = min(len(toggles) + 64, asked.capacity)
    written = np.zeros(0, np.int64) if flags else toggles
    report.equal(what, device.read(members["host_toggles"], np.int32, beyond), poisoned(written, beyond))
    return len(toggles)


def compare_masks(device: CudaDevice, report: Report, what: str, batch: Sequence[Asked | None]) -> None:
    """A batch from the network's outputs to the host's memory, once and by 100 replays of its graph."""
    launches, members, _ = postprocess_launches(device, batch, abi.mask_grid(device.multiprocessors))
    for launch in launches:
        device.launch(launch)
    there = [(i, asked, members[i]) for i, asked in enumerate(batch) if asked]
    counts = [compare_handed_back(device, report, f"{what} {i + 1}/{len(batch)}", *each) for i, *each in there]
    fits = [(asked, outputs, count) for (_, asked, outputs), count in zip(there, counts, strict=True)]
    agree = replays_agree(device, launches, [(o["host_toggles"], n) for a, o, n in fits if n <= a.capacity])
    report.equal(what + " repeated", agree, np.ones(100, bool))


def replays_agree(device: CudaDevice, launches: list[Launch], outputs: Sequence[tuple[object, int]]) -> np.ndarray:
    """Whether each of 100 replays as a graph gives the same toggles."""
    replay = device.graph(launches)
    answers = []
    for _ in range(100):
        replay()
        device.wait()
        answers.append(b"".join(device.read(buffer, np.int32, count).tobytes() for buffer, count in outputs))
    return np.array([answer == answers[0] for answer in answers])


def check_masks(device: CudaDevice, report: Report) -> None:
    """Scenes of real sizes, and the masks of contract section 5."""
    cases = [("nano", HD, 10, 300), ("nano", HD, 1, 0), ("nano", HD, 10, 0), ("nano", UHD, 10, 600), ("nano", HD, 0, 1)]
    cases += [("2xlarge", UHD, 10, 600), ("2xlarge", HD, 40, 150), ("xlarge", HD, 300, 60), ("nano", (1, 5000), 3, 0)]
    cases += [("nano", (720, 1280), 10, 200), ("medium", (312, 176), 5, 60), ("nano", (40, 50), 4, 20)]
    for case in cases:
        asked = asked_of_scene(*case)
        compare_masks(device, report, f"masks {case} f32", [asked])
        compare_masks(device, report, f"masks {case} f16", [replace(asked, masks=asked.masks.astype(np.float16))])
    for name, masks, image_size in contract_masks():
        labels = np.arange(len(masks), 0, -1, np.float32)[:, None]
        dets = np.random.default_rng(0).random((len(masks), 4), np.float32)
        for logits in (masks, masks.astype(np.float16)):
            asked = Asked(labels, dets, logits, image_size, np.zeros(1, np.float32), capacity=1 << 22)
            compare_masks(device, report, f"masks {name} {logits.dtype}", [asked])


def check_batches(device: CudaDevice, report: Report) -> None:
    """Images of other sizes, thresholds and capacities side by side; one has too many toggles, some are not there."""
    sizes = [(HD, 10, 300), (UHD, 10, 600), ((720, 1280), 20, 100), ((40, 50), 4, 20), ((1, 5000), 3, 0), (HD, 0, 1)]
    scenes = [asked_of_scene("medium", *size) for size in sizes]
    scenes[1] = replace(scenes[1], cuts=np.full(91, 2.5, np.float32), max_detections=5)
    scenes[2] = replace(scenes[2], capacity=100)
    scenes[3] = replace(scenes[3], cuts=np.where(np.arange(91) % 2, np.nan, 1).astype(np.float32))
    scenes.append(replace(scenes[0], cuts=np.full(91, np.nan, np.float32)))
    for dtype in (np.float32, np.float16):
        batch: list[Asked | None] = [replace(each, masks=each.masks.astype(dtype)) for each in scenes]
        compare_masks(device, report, f"batch {dtype.__name__}", [*batch[:1], None, *batch[1:], None])


SECTIONS: dict[str, Callable[[CudaDevice, Report], None]] = {
    "preprocess": check_preprocess,
    "planes": check_planes,
    "select": check_select,
    "masks": check_masks,
    "batches": check_batches,
}
