"""Where the C++ half of the package lies, for projects that embed it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def get_include() -> str:
    """Returns the folder to put on a C++ compiler's include path."""
    return str(_PACKAGE / "include")


def get_cmake_dir() -> str:
    """Returns the folder for CMake's `rfseg_DIR`, so that `find_package(rfseg)` finds this installation."""
    return str(_PACKAGE / "lib" / "cmake" / "rfseg")
