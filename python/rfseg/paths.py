"""Where the C++ half of the package lies, for projects that embed it."""

from __future__ import annotations

from pathlib import Path

from rfseg import _core

_PACKAGE = Path(_core.__file__).resolve().parent  # where the compiled half was installed, in an editable install too


def get_include() -> str:
    """Returns the folder to put on a C++ compiler's include path.

    Raises:
        FileNotFoundError: the package was installed without its C++ half.
    """
    return _existing(_PACKAGE / "include")


def get_cmake_dir() -> str:
    """Returns the folder for CMake's `rfseg_DIR`, so that `find_package(rfseg)` finds this installation.

    Raises:
        FileNotFoundError: the package was installed without its C++ half.
    """
    return _existing(_PACKAGE / "lib" / "cmake" / "rfseg")


def _existing(folder: Path) -> str:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} does not exist: this installation of rfseg has no C++ library to embed; pip install rfseg anew, "
            "or use add_subdirectory of its sources"
        )
    return str(folder)
