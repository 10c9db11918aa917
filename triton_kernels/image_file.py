"""The file of kernel images: writes it as abi.py describes it, and reads it back for tests and tools.

Also reads from a cubin how large its kernel's parameters are, which is what the driver will go by. Knows no Triton.
"""

from __future__ import annotations

import struct
from dataclasses import asdict, dataclass

from triton_kernels import abi, signatures

_HEADER = struct.Struct("<8sIIQ40x")
_ENTRY = struct.Struct(f"<6I3Q{abi.MAX_PARAMETERS}s")
assert _HEADER.size == abi.struct_size("FileHeader")
assert _ENTRY.size == abi.struct_size("FileEntry")


@dataclass(frozen=True)
class Image:
    """One compiled kernel.

    Attributes:
        kernel: name in signatures.KERNELS.
        kind: name in abi.IMAGE_KINDS.
        compute_capability: 90 is 9.0.
        name: of the entry.
        threads: in one program.
        shared_bytes: dynamic shared memory.
        parameter_bytes: size of each parameter, the hidden ones included.
        code: ELF, or PTX text without a NUL.
    """

    kernel: str
    kind: str
    compute_capability: int
    name: str
    threads: int
    shared_bytes: int
    parameter_bytes: tuple[int, ...]
    code: bytes

    def summary(self) -> dict[str, object]:
        """What a person wants to know of it."""
        return {**asdict(self), "code": len(self.code)}


def _padded(size: int) -> int:
    return abi.ceil_div(size, abi.IMAGE_ALIGNMENT) * abi.IMAGE_ALIGNMENT


def write(images: list[Image]) -> bytes:
    """The whole file."""
    names_at = _HEADER.size + len(images) * _ENTRY.size
    names = b"".join(image.name.encode() + b"\0" for image in images)
    entries, codes = b"", b""
    name_at, codes_at = names_at, _padded(names_at + len(names))
    for image in images:
        code = image.code + (b"\0" if image.kind == "ptx" else b"")
        entries += _ENTRY.pack(
            list(signatures.KERNELS).index(image.kernel),
            abi.IMAGE_KINDS.index(image.kind),
            image.compute_capability,
            image.threads,
            image.shared_bytes,
            len(image.parameter_bytes),
            name_at,
            codes_at + len(codes),
            len(code),
            bytes(image.parameter_bytes),
        )
        name_at += len(image.name) + 1
        codes += code.ljust(_padded(len(code)), b"\0")
    head = _HEADER.pack(abi.FILE_MAGIC, len(images), _ENTRY.size, codes_at + len(codes)) + entries + names
    return head.ljust(codes_at, b"\0") + codes


def read(file: bytes) -> list[Image]:
    """The images in a file.

    Raises:
        ValueError: it is not such a file, or not all of it.
    """
    magic, count, entry_bytes, file_bytes = _HEADER.unpack_from(file)
    if magic != abi.FILE_MAGIC or entry_bytes != _ENTRY.size or file_bytes != len(file):
        raise ValueError(f"not a file of kernel images of this version: {magic!r}, {len(file)} of {file_bytes} bytes")
    images = []
    for i in range(count):
        kernel, kind, capability, threads, shared, parameters, name_at, code_at, code_bytes, sizes = _ENTRY.unpack_from(
            file, _HEADER.size + i * _ENTRY.size
        )
        images.append(
            Image(
                kernel=list(signatures.KERNELS)[kernel],
                kind=abi.IMAGE_KINDS[kind],
                compute_capability=capability,
                name=file[name_at : file.index(b"\0", name_at)].decode(),
                threads=threads,
                shared_bytes=shared,
                parameter_bytes=tuple(sizes[:parameters]),
                code=file[code_at : code_at + code_bytes - kind],
            )
        )
    return images


def cubin_parameter_bytes(cubin: bytes, name: str) -> tuple[int, ...]:
    """Sizes of the parameters of kernel `name`, in order, from the EIATTR_KPARAM_INFO records of its .nv.info section.

    Raises:
        ValueError: the kernel is not in the cubin.
    """
    sections_at, section_bytes, section_count, names_index = struct.unpack_from("<Q10xHHH", cubin, 0x28)
    # name, offset and size of each section
    sections = [struct.unpack_from("<I20xQQ", cubin, sections_at + i * section_bytes) for i in range(section_count)]
    names_at = sections[names_index][1]
    wanted = b".nv.info." + name.encode() + b"\0"
    for name_at, offset, size in sections:
        if cubin.startswith(wanted, names_at + name_at):
            return _kernel_parameter_bytes(cubin[offset : offset + size])
    raise ValueError(f"the cubin has no kernel {name}")


def _kernel_parameter_bytes(info: bytes) -> tuple[int, ...]:
    sized, kernel_parameter = 0x04, 0x17  # record format with a length; EIATTR_KPARAM_INFO
    sizes, at = {}, 0
    while at < len(info):
        form, attribute, length = struct.unpack_from("<BBH", info, at)
        at += 4
        if form != sized:
            continue  # its value is in the length's place
        if attribute == kernel_parameter:
            _, ordinal, _, packed = struct.unpack_from("<IHHI", info, at)
            sizes[ordinal] = packed >> 18
        at += length
    return tuple(sizes[i] for i in range(len(sizes)))
