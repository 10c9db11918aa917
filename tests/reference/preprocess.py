"""The readable twin of contract section 2: Pillow's antialiased resize, the two-tap resize, normalisation.

Owns what the answer is, one formula after the other in NumPy. Refuses to be fast, and knows neither rfseg nor Pillow.
"""

from __future__ import annotations

import math

import numpy as np

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
WEIGHT_BITS = 22

Size = tuple[int, int]


def pil_axis(length: int, out: int) -> list[tuple[int, np.ndarray]]:
    """Taps of Pillow's BILINEAR along one axis.

    Args:
        length: of the source, px.
        out: of the result, px.

    Returns:
        For each output the index of its first tap and its weights [taps] int64, times 2^22.
    """
    scale = length / out
    support = max(1.0, scale)
    taps = []
    for o in range(out):
        centre = (o + 0.5) * scale
        low = max(0, math.trunc(centre - support + 0.5))
        high = min(length, math.trunc(centre + support + 0.5))
        weights = [max(0.0, 1.0 - abs((k - centre + 0.5) * (1.0 / support))) for k in range(low, high)]
        total = sum(weights)
        taps.append((low, np.array([math.trunc(0.5 + w / total * 2**WEIGHT_BITS) for w in weights], np.int64)))
    return taps


def resize_rows(image: np.ndarray, out: int) -> np.ndarray:
    """One pass: uint8 [length, ...] to uint8 [out, ...] along the first axis; skipped when the lengths are equal."""
    if len(image) == out:
        return image
    result = np.empty((out, *image.shape[1:]), np.uint8)
    for o, (first, weights) in enumerate(pil_axis(len(image), out)):
        total = np.full(image.shape[1:], 2 ** (WEIGHT_BITS - 1), np.int64)
        for k, weight in enumerate(weights):
            total += weight * image[first + k].astype(np.int64)
        result[o] = np.clip(total >> WEIGHT_BITS, 0, 255)
    return result


def resize_columns(image: np.ndarray, out: int) -> np.ndarray:
    """As resize_rows along the second axis."""
    return resize_rows(image.swapaxes(0, 1), out).swapaxes(0, 1)


def vertical_pass_first(source: Size, network: Size) -> bool:
    """Pillow's rule since 13.0; it matters only when both passes are needed."""
    fewer_rows, fewer_columns = source[0] - network[0], source[1] - network[1]
    return fewer_columns != 0 and fewer_rows > 0 and fewer_rows > 2 * fewer_columns


def resize_pil(image: np.ndarray, size: Size) -> np.ndarray:
    """uint8 [Hs, Ws, 3] to uint8 [Hn, Wn, 3], as Pillow's BILINEAR."""
    height, width = size
    if vertical_pass_first((image.shape[0], image.shape[1]), size):
        return resize_columns(resize_rows(image, height), width)
    return resize_rows(resize_columns(image, width), height)


def bilinear_axis(length: int, out: int, fused: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two taps per output: i0, i1 [out] int64 and l0, l1 [out] float32.

    Args:
        length: of the source, px.
        out: of the result, px.
        fused: (o + 0.5) * scale - 0.5 is rounded once, as by a fused multiply-add, instead of after each operation.
    """
    scale = np.float32(length) / np.float32(out)
    centre = np.arange(out, dtype=np.float32) + np.float32(0.5)
    if fused:
        position = (centre.astype(np.float64) * np.float64(scale) - 0.5).astype(np.float32)
    else:
        position = centre * scale - np.float32(0.5)
    position = np.maximum(position, np.float32(0))
    i0 = np.minimum(np.floor(position).astype(np.int64), length - 1)
    l1 = position - i0.astype(np.float32)
    return i0, np.minimum(i0 + 1, length - 1), np.float32(1) - l1, l1


def resize_bilinear(image: np.ndarray, size: Size, fused: bool = False) -> np.ndarray:
    """float32 [Hs, Ws, 3] to float32 [Hn, Wn, 3]: half-pixel centres, no antialiasing, every operation rounded."""
    y0, y1, l0y, l1y = bilinear_axis(image.shape[0], size[0], fused)
    x0, x1, l0x, l1x = bilinear_axis(image.shape[1], size[1], fused)
    l0y, l1y = l0y[:, None, None], l1y[:, None, None]
    l0x, l1x = l0x[:, None], l1x[:, None]
    top = l0x * image[y0][:, x0] + l1x * image[y0][:, x1]
    bottom = l0x * image[y1][:, x0] + l1x * image[y1][:, x1]
    return l0y * top + l1y * bottom


def normalise(unit: np.ndarray, mean: np.ndarray = MEAN, std: np.ndarray = STD) -> np.ndarray:
    """float32 [Hn, Wn, 3] in 0..1, RGB, to float32 [3, Hn, Wn]; mean and std [3] float32, RGB."""
    return np.ascontiguousarray(((unit - mean) / std).transpose(2, 0, 1))


def preprocess(
    frame: np.ndarray,
    size: Size,
    color: str = "bgr",
    resize: str = "pil",
    fused: bool = False,
    mean: np.ndarray = MEAN,
    std: np.ndarray = STD,
) -> np.ndarray:
    """The network's input for one frame.

    Args:
        frame: [Hs, Ws, 3] uint8.
        size: Hn, Wn.
        color: order of the frame's channels, "bgr" or "rgb".
        resize: "pil" or "bilinear".
        fused: see bilinear_axis.
        mean, std: [3] float32, RGB: what the network was trained with.

    Returns:
        [3, Hn, Wn] float32, RGB.
    """
    rgb = frame if color == "rgb" else frame[:, :, ::-1]
    if resize == "pil":
        return normalise(resize_pil(rgb, size).astype(np.float32) / np.float32(255), mean, std)
    return normalise(resize_bilinear(rgb.astype(np.float32) / np.float32(255), size, fused), mean, std)
