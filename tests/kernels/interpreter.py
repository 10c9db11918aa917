"""A device that runs the kernels in Triton's interpreter, on NumPy arrays and without torch. Knows no stage."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from triton_kernels import signatures

from kernels.stages import POISON, Launch


@dataclass(frozen=True)
class Memory:
    """Bytes of host memory from `offset` on."""

    array: NDArray[np.uint8]
    offset: int = 0

    def __add__(self, bytes_on: int) -> Memory:
        return Memory(self.array, self.offset + bytes_on)


class Pointer:
    """As much of a tensor as the interpreter asks for: it works on the memory in place, so nothing is copied."""

    def __init__(self, memory: Memory, dtype: str):
        self.memory, self.dtype = memory, dtype

    def data_ptr(self) -> int:
        """Address of the first element."""
        return int(self.memory.array.ctypes.data) + self.memory.offset

    def untyped_storage(self) -> Pointer:
        """Stands for its own storage."""
        return self

    def new_empty(self, *_: Any, **__: Any) -> Pointer:
        """The copy on the host is the original."""
        return Pointer(self.memory, self.dtype)

    def _nothing(self, *_: Any) -> Any:
        return self

    cpu = set_ = copy_ = storage_offset = size = stride = _nothing


class Interpreter:
    """Memory is NumPy's; every byte a kernel may touch lies between guards that must stay as they were."""

    GUARD = 64

    def __init__(self) -> None:
        self._buffers: list[NDArray[np.uint8]] = []

    def buffer(self, size: int, host: bool = False) -> Memory:
        """`size` poisoned bytes."""
        self._buffers.append(np.full(size + 2 * self.GUARD, POISON, np.uint8))
        return Memory(self._buffers[-1], self.GUARD)

    def write(self, buffer: Memory, values: NDArray[Any]) -> None:
        """Copies to the start of `buffer`."""
        buffer.array[buffer.offset : buffer.offset + values.nbytes] = values.reshape(-1).view(np.uint8)

    def read(self, buffer: Memory, dtype: Any, count: int) -> NDArray[Any]:
        """Copies from the start of `buffer`."""
        return np.frombuffer(buffer.array.tobytes(), dtype, count, buffer.offset)

    def address(self, buffer: Memory) -> int:
        """Of the buffer's first byte in this process."""
        return int(buffer.array.ctypes.data) + buffer.offset

    def launch(self, launch: Launch) -> None:
        """Interprets the kernel with the constants that its image is compiled with, then looks at the guards."""
        kernel = signatures.KERNELS[launch.kernel]
        function = getattr(importlib.import_module(f"triton_kernels.{kernel.module}"), kernel.function)
        assert len(launch.arguments) == len(kernel.arguments)
        arguments = [
            Pointer(value, {"u8": "uint8", "i32": "int32", "i64": "int64", "fp32": "float32"}[argument.type[1:]])
            if argument.type.startswith("*")
            else value
            for argument, value in zip(kernel.arguments, launch.arguments, strict=True)
        ]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            # Triton 3.6 turns one-element arrays into loop bounds, which NumPy from 2.4 on refuses and warns of before.
            warnings.simplefilter("ignore", DeprecationWarning)
            function[(launch.grid,)](*arguments, **kernel.constants)
        for array in self._buffers:
            assert (array[: self.GUARD] == POISON).all(), f"{launch.kernel} wrote before a buffer"
            assert (array[-self.GUARD :] == POISON).all(), f"{launch.kernel} wrote beyond a buffer"
