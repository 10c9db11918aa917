"""How a record that host and kernels share is written down: fields in order, without padding. Knows no record."""

from __future__ import annotations

from dataclasses import dataclass

SCALAR_BYTES = {
    "char": 1,
    "std::uint8_t": 1,
    "std::int32_t": 4,
    "std::uint32_t": 4,
    "float": 4,
    "std::int64_t": 8,
    "std::uint64_t": 8,
}

STRUCTS: dict[str, tuple[Field, ...]] = {}  # filled by abi.py, inner structs first


@dataclass(frozen=True)
class Field:
    """One member of a struct: `count` values of `c_type`, a scalar or a struct of STRUCTS."""

    name: str
    c_type: str
    count: int = 1
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.count * (SCALAR_BYTES.get(self.c_type) or struct_size(self.c_type))


def struct_size(name: str) -> int:
    """Bytes; members are ordered so that there is no padding."""
    return sum(field.size for field in STRUCTS[name])


def byte_offset(struct: str, field: str) -> int:
    """Where `field` lies in `struct`."""
    names = [member.name for member in STRUCTS[struct]]
    return sum(member.size for member in STRUCTS[struct][: names.index(field)])


def word_offset(struct: str, field: str) -> int:
    """Where `field` lies in `struct`, counted in words as the kernels see it: FrameParams' have 8 bytes, others' 4."""
    return byte_offset(struct, field) // (8 if struct == "FrameParams" else 4)
