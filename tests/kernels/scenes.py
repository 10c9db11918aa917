"""Frames and network outputs of real sizes, made up: what the kernels are checked and timed with on a GPU."""

from __future__ import annotations

import numpy as np

NETWORKS = {  # side, queries, mask side
    "nano": (312, 100, 78),
    "small": (384, 100, 96),
    "medium": (432, 200, 108),
    "large": (504, 200, 126),
    "xlarge": (624, 300, 156),
    "2xlarge": (768, 300, 192),
}
HD, UHD = (1080, 1920), (2160, 3840)


def frame_of(height: int, width: int) -> np.ndarray:
    """Noise over a gradient."""
    rng = np.random.default_rng(height)
    ramp = np.linspace(0, 200, width)[None, :, None] + rng.integers(0, 56, (height, width, 3))
    return ramp.astype(np.uint8)


def grid_with_ellipse(side: int, centre: tuple[float, float], radii: tuple[float, float], seed: int) -> np.ndarray:
    """Logits [side, side] positive inside an ellipse given in shares of the side, with a wavy edge."""
    y, x = (np.indices((side, side)) + 0.5) / side
    inside = 1 - np.hypot((y - centre[0]) / radii[0], (x - centre[1]) / radii[1])
    return (8 * inside + np.random.default_rng(seed).normal(0, 0.3, (side, side))).astype(np.float32)


def scene(network: str, image_size: tuple[int, int], instances: int, size_px: int) -> tuple[np.ndarray, ...]:
    """labels, dets, masks of `instances` objects about `size_px` wide and high; 0: of the whole frame."""
    side, queries, mask_side = NETWORKS[network]
    rng = np.random.default_rng(side + instances)
    labels = rng.normal(-6, 1, (queries, 91)).astype(np.float32)
    chosen = rng.permutation(queries)[:instances]
    labels[chosen, rng.integers(0, 91, instances)] = rng.uniform(1, 5, instances)
    dets = rng.random((queries, 4), np.float32)
    masks = rng.normal(-5, 0.5, (queries, mask_side, mask_side)).astype(np.float32)
    for query in chosen:
        radii = (size_px / image_size[0] / 2, size_px / image_size[1] / 2) if size_px else (2.0, 2.0)
        centre = tuple(rng.uniform(0.2, 0.8, 2)) if size_px else (0.5, 0.5)
        masks[query] = grid_with_ellipse(mask_side, centre, radii, int(query))
    return labels, dets, masks
