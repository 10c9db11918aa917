"""A few frames through everything that runs on the GPU, for tools that make it a hundred times slower.

Both sides of Pillow's pass order, bilinear, frames in host, page-locked and device memory, planes, a frame by the
slower path; each result is compared with the host's stages, so that a run that found nothing to check fails. Device
memory comes from the driver itself, since the tools make torch's start too slow. Example:

    compute-sanitizer --tool memcheck python tests/bench/gpu/short_run.py ENGINE
"""

from __future__ import annotations

import argparse
import ctypes
from typing import Any

import numpy as np

import rfseg


def blobs(height: int, width: int, seed: int) -> np.ndarray:
    """Flat discs on noise: a trained network finds something in them. uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / min(height, width)
    frame = rng.integers(100, 140, (height, width, 3), dtype=np.uint8)
    for _ in range(6):
        cx, cy = rng.uniform(0.1, 0.9) * width / min(height, width), rng.uniform(0.1, 0.9) * height / min(height, width)
        frame[(x - cx) ** 2 + (y - cy) ** 2 < rng.uniform(0.05, 0.15) ** 2] = rng.integers(0, 256, 3)
    return frame


class Driver:
    """The CUDA driver, as another library of the process uses it: on the primary context of the first GPU."""

    def __init__(self) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        device, self._context = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._cuda, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name} failed with CUDA error {status}")

    def upload(self, pixels: np.ndarray) -> int:
        """Address of a copy in device memory, which the process keeps to its end."""
        address, before = ctypes.c_uint64(), ctypes.c_void_p()
        self._call("cuCtxPushCurrent_v2", self._context)
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(pixels.nbytes))
        self._call("cuMemcpyHtoD_v2", address, ctypes.c_void_p(pixels.ctypes.data), ctypes.c_size_t(pixels.nbytes))
        self._call("cuCtxPopCurrent_v2", ctypes.byref(before))  # rfseg may not depend on what others left current
        return address.value


class DeviceFrame:
    """A view of `pixels`, in device memory; `pixels` is C-contiguous, and the view has its strides."""

    def __init__(self, driver: Driver, pixels: np.ndarray, view: np.ndarray) -> None:
        self.__cuda_array_interface__ = {
            "version": 3,
            "data": (driver.upload(pixels) + view.ctypes.data - pixels.ctypes.data, True),
            "typestr": view.dtype.str,
            "shape": view.shape,
            "strides": None if view.flags.c_contiguous else view.strides,
            "stream": 1,  # the copy may still be on its way, on the default stream
        }


def check(segmenter: rfseg.Segmenter, pixels: list[np.ndarray], frames: list[Any] | None = None) -> int:
    """Streams frames (default: the pixels as they are) and compares with the pixels one by one as ordinary arrays.

    Returns how many instances were compared.
    """
    instances = 0
    for frame, result in zip(pixels, list(segmenter.stream(pixels if frames is None else frames)), strict=True):
        ((columns, network_input, *tensors),) = segmenter._core.infer_with_tensors([frame])
        expected = segmenter._result(segmenter._core.postprocess_tensors(*tensors, frame.shape[:2]))
        assert segmenter._result(columns).masks.coco() == result.masks.coco() == expected.masks.coco()
        assert result.xyxy.tobytes() == expected.xyxy.tobytes()
        assert result.polygons() is not None
        assert np.isfinite(network_input).all()
        instances += len(result)
    return instances


def check_other_memory(segmenter: rfseg.Segmenter, pixels: np.ndarray) -> int:
    """The same for frames in device memory, whole and mirrored, and in page-locked memory."""
    driver, mirrored, buffer = Driver(), pixels[:, ::-1], segmenter.frame_buffer(pixels.shape)
    buffer[:] = pixels
    frames = [DeviceFrame(driver, pixels, pixels), DeviceFrame(driver, pixels, mirrored), buffer]
    found = check(segmenter, [pixels, mirrored, pixels], frames)
    assert found > 0, "nothing was found in these frames"
    return found


def check_planes(segmenter: rfseg.Segmenter, pixels: np.ndarray) -> int:
    """The same for planes in host and device memory: of two and of three, of one and of two bytes, an odd size."""
    driver, pixels = Driver(), pixels[:-1, :-1]
    y, cb, cr = (np.ascontiguousarray(plane) for plane in (pixels[..., 1], pixels[::2, ::2, 0], pixels[::2, ::2, 2]))
    cbcr = np.stack([cb, cr], axis=2)
    wide = [plane.astype(np.uint16) << 8 for plane in (y, cbcr)]
    given, same = [], []
    for name, planes in {"i420": [y, cb, cr], "nv12": [y, cbcr], "p010": wide}.items():
        host = rfseg.YuvFrame(planes, name, matrix="bt709", full_range=True)
        on_device = [DeviceFrame(driver, plane, plane) for plane in planes]
        given += [host, rfseg.YuvFrame(on_device, name, matrix="bt709", full_range=True)]
        same += [rfseg.ops.convert(host)] * 2
    return check(segmenter, same, given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine")
    options = parser.parse_args()
    frames = [blobs(360, 640, 1), blobs(640, 427, 2), blobs(360, 640, 3)]
    instances = 0
    for resize in ("pil", "bilinear"):
        with rfseg.Segmenter(
            options.engine, device="cuda", slots=2, threshold=0.05, resize=resize, allow_engine_code=True
        ) as segmenter:
            found = check(segmenter, frames if resize == "pil" else frames[:1])
            found += check_planes(segmenter, frames[2] if resize == "pil" else frames[1])
            if resize == "pil":
                wide = np.repeat(frames[0][::8], 200, axis=1)
                found += check(segmenter, [wide[:, :100_000]])
                found += check_other_memory(segmenter, frames[0])
            print(
                f"{resize}: {found} instances compared, {segmenter.info['slow_frames']} by the slower path", flush=True
            )
            instances += found
    assert instances > 0, "nothing was compared"
    print("short run done", flush=True)


if __name__ == "__main__":
    main()
