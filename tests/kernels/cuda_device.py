"""A device that runs the compiled images of kernels.bin on a real GPU, through the CUDA driver alone. Knows no stage.

A context serves one process for good: nothing here is freed, and after a failed launch the process is of no more use.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from triton_kernels import image_file, signatures

from kernels.stages import POISON, Launch

MULTIPROCESSORS, MAJOR, MINOR, CLOCK_KHZ = 16, 75, 76, 13  # CU_DEVICE_ATTRIBUTE_...
NON_BLOCKING, MAPPED, THREAD_LOCAL = 1, 2, 1  # CU_STREAM_..., CU_MEMHOSTALLOC_DEVICEMAP, CU_STREAM_CAPTURE_MODE_...


class CudaError(Exception):
    """A driver call failed."""


@dataclass(frozen=True)
class Address:
    """Device address of a buffer, and the host's own where it has one."""

    device: int
    host: int = 0

    def __add__(self, bytes_on: int) -> Address:
        return Address(self.device + bytes_on, self.host and self.host + bytes_on)


class CudaDevice:
    """The first GPU and one stream."""

    def __init__(self, images: Sequence[image_file.Image], kind: str = "cubin"):
        self._cuda = ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device, context, self._stream = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuStreamCreate", ctypes.byref(self._stream), NON_BLOCKING)
        name = ctypes.create_string_buffer(100)
        self._call("cuDeviceGetName", name, 100, device)
        self.name = name.value.decode()
        self.multiprocessors, major, minor, self.clock_khz = (
            self._attribute(which, device) for which in (MULTIPROCESSORS, MAJOR, MINOR, CLOCK_KHZ)
        )
        self.capability = 10 * major + minor
        self.loaded = {name: self.load(self._best(images, name, kind)) for name in {image.kernel for image in images}}

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._cuda, name)(*arguments)
        if status != 0:
            text = ctypes.c_char_p()
            self._cuda.cuGetErrorString(status, ctypes.byref(text))
            raise CudaError(f"{name}: {(text.value or b'unknown').decode()} ({status})")

    def _attribute(self, which: int, device: ctypes.c_int) -> int:
        value = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(value), which, device)
        return value.value

    def _best(self, images: Sequence[image_file.Image], name: str, kind: str) -> image_file.Image:
        """The image that the host would choose, of one kind."""
        same_major = self.capability // 10 * 10
        fitting = [
            image
            for image in images
            if (image.kernel, image.kind) == (name, kind)
            and (same_major if kind == "cubin" else 0) <= image.compute_capability <= self.capability
        ]
        if not fitting:
            raise CudaError(f"no {kind} of {name} for compute capability {self.capability}")
        return max(fitting, key=lambda image: image.compute_capability)

    def load(self, image: image_file.Image) -> tuple[image_file.Image, ctypes.c_void_p]:
        """The image with its loaded function."""
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuModuleLoadData", ctypes.byref(module), ctypes.c_char_p(image.code + b"\0"))
        self._call("cuModuleGetFunction", ctypes.byref(function), module, image.name.encode())
        return image, function

    def buffer(self, size: int, host: bool = False) -> Address:
        """`size` poisoned bytes."""
        size = max(size, 1)
        device, memory = ctypes.c_uint64(), ctypes.c_void_p()
        if host:
            self._call("cuMemHostAlloc", ctypes.byref(memory), ctypes.c_size_t(size), MAPPED)
            self._call("cuMemHostGetDevicePointer_v2", ctypes.byref(device), memory, 0)
            ctypes.memset(memory, POISON, size)
        else:
            self._call("cuMemAlloc_v2", ctypes.byref(device), ctypes.c_size_t(size))
            self._call("cuMemsetD8_v2", device, ctypes.c_ubyte(POISON), ctypes.c_size_t(size))
            self._call("cuCtxSynchronize")  # it does not wait, and the stream does not wait for it
        return Address(device.value, memory.value or 0)

    def write(self, buffer: Address, values: NDArray[Any]) -> None:
        """Copies to the start of `buffer`."""
        source = ctypes.c_void_p(values.ctypes.data)
        self._call("cuMemcpyHtoD_v2", ctypes.c_uint64(buffer.device), source, ctypes.c_size_t(values.nbytes))
        self._call("cuCtxSynchronize")  # of pageable memory it waits for a copy on the host only

    def read(self, buffer: Address, dtype: Any, count: int) -> NDArray[Any]:
        """Copies from the start of `buffer`; host memory is read as the host sees it."""
        values = np.empty(count, dtype)
        if buffer.host:
            ctypes.memmove(values.ctypes.data, buffer.host, values.nbytes)
        elif values.nbytes:
            target = ctypes.c_void_p(values.ctypes.data)
            self._call("cuMemcpyDtoH_v2", target, ctypes.c_uint64(buffer.device), ctypes.c_size_t(values.nbytes))
        return values

    def address(self, buffer: Address) -> int:
        """As the device sees it."""
        return buffer.device

    def enqueue(self, launch: Launch) -> None:
        """Does not wait."""
        image, function = self.loaded[launch.kernel]
        c_types = {"i32": ctypes.c_int32, "i64": ctypes.c_int64, "fp32": ctypes.c_float}
        values = [
            ctypes.c_uint64(value.device) if argument.type.startswith("*") else c_types[argument.type](value)
            for argument, value in zip(signatures.KERNELS[launch.kernel].arguments, launch.arguments, strict=True)
        ] + [ctypes.c_uint64(0) for _ in signatures.HIDDEN_PARAMETERS]
        assert tuple(ctypes.sizeof(value) for value in values) == image.parameter_bytes
        parameters = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        grid_and_block = (launch.grid, 1, 1, image.threads, 1, 1)
        self._call("cuLaunchKernel", function, *grid_and_block, image.shared_bytes, self._stream, parameters, None)

    def launch(self, launch: Launch) -> None:
        """Waits for the launch to end."""
        self.enqueue(launch)
        self.wait()

    def wait(self) -> None:
        """Waits for the stream."""
        self._call("cuStreamSynchronize", self._stream)

    def graph(self, launches: Sequence[Launch]) -> Callable[[], None]:
        """Captures launches; what is returned enqueues one replay."""
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuStreamBeginCapture_v2", self._stream, THREAD_LOCAL)
        for launch in launches:
            self.enqueue(launch)
        self._call("cuStreamEndCapture", self._stream, ctypes.byref(graph))
        self._call("cuGraphInstantiateWithFlags", ctypes.byref(executable), graph, ctypes.c_uint64(0))
        return lambda: self._call("cuGraphLaunch", executable, self._stream)

    def time_us(self, launches: Sequence[Launch], replays: int = 200) -> tuple[float, float]:
        """Microseconds of `launches` inside a graph: median and 90th percentile.

        Each sample is the difference of a graph of 30 repetitions and one of 10, so that what a replay costs by itself
        cancels out; the gap between two kernels is in it. Everything is warm in L2.
        """
        events = [ctypes.c_void_p() for _ in range(2)]
        for event in events:
            self._call("cuEventCreate", ctypes.byref(event), 0)
        graphs = [self.graph(list(launches) * repetitions) for repetitions in (10, 30)]
        samples = np.empty((replays, 2))
        for i in range(-5, replays):
            for j, replay in enumerate(graphs):
                self._call("cuEventRecord", events[0], self._stream)
                replay()
                self._call("cuEventRecord", events[1], self._stream)
                self._call("cuEventSynchronize", events[1])
                milliseconds = ctypes.c_float()
                self._call("cuEventElapsedTime", ctypes.byref(milliseconds), *events)
                samples[i, j] = milliseconds.value
        differences = (samples[:, 1] - samples[:, 0]) * 1000 / 20
        return float(np.median(differences)), float(np.percentile(differences, 90))
