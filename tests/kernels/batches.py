"""A batch of images with what is asked of each, as a chain of launches on any device. Knows no formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from triton_kernels import abi

from kernels.scenes import NETWORKS, scene
from kernels.stages import (
    Device,
    Launch,
    Members,
    mask_launches,
    mask_members,
    preprocess_launches,
    preprocess_members,
    select_launch,
    select_members,
    upload_params,
)

CAPACITY = 1 << 20


@dataclass(frozen=True)
class Asked:
    """One image's outputs of the network, labels [Q, C], dets [Q, 4], masks [Q, Hm, Wm], and what is asked of it."""

    labels: np.ndarray
    dets: np.ndarray
    masks: np.ndarray
    image_size: tuple[int, int]
    cuts: np.ndarray
    max_detections: int = 300
    capacity: int = CAPACITY


def asked_of_scene(network: str, image_size: tuple[int, int], instances: int, size_px: int) -> Asked:
    """Objects in an image, at a threshold of one half."""
    labels, dets, masks = scene(network, image_size, instances, size_px)
    return Asked(labels, dets, masks, image_size, np.zeros(labels.shape[1], np.float32))


def postprocess_members(device: Device, asked: Asked) -> Members:
    """Of everything behind the network."""
    slots = min(len(asked.labels), asked.max_detections)
    return select_members(device, asked.cuts, asked.max_detections) | mask_members(
        device, asked.image_size, asked.masks.shape[1:], slots, asked.capacity
    )


def postprocess_launches(
    device: Device, batch: Sequence[Asked | None], programs: int
) -> tuple[list[Launch], list[Members | None], Any]:
    """select, mask_count, mask_runs; the members of each image, and the Selections."""
    members = [asked and postprocess_members(device, asked) for asked in batch]
    some = next(asked for asked in batch if asked)
    labels, dets, masks = (
        np.stack([getattr(asked or some, name) for asked in batch]) for name in ("labels", "dets", "masks")
    )
    params = upload_params(device, members)
    select, selection = select_launch(device, params, labels, dets)
    return [select, *mask_launches(device, params, masks, selection, programs)], members, selection


def chain(device: Device, frames: Sequence[np.ndarray], network: str, multiprocessors: int) -> list[Launch]:
    """Every launch around the network for frames [Hs, Ws, 3] with ten objects each."""
    side = NETWORKS[network][0]
    members = [preprocess_members(device, frame, (side, side)) for frame in frames]
    before, _ = preprocess_launches(device, members, (side, side), True, "pil", abi.resize_grid(multiprocessors))
    asked = [asked_of_scene(network, frame.shape[:2], 10, frame.shape[0] // 4) for frame in frames]
    return before + postprocess_launches(device, asked, abi.mask_grid(multiprocessors))[0]
