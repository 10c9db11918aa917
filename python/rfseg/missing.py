"""Imports that belong to an extra: the module, or an error that says what to type.

Knows which extra brings which module; does not know what anybody does with it.
"""

from __future__ import annotations

import importlib
from types import ModuleType

# Module -> what `pip install` takes. supervision is the caller's own choice and version, so no extra pins it.
_BROUGHT_BY = {
    "cv2": "rfseg[viz]",
    "av": "rfseg[video]",
    "PyNvVideoCodec": "pynvvideocodec",
    "PIL.Image": "pillow",
    "pillow_heif": "pillow-heif",
    "onnx": "rfseg[gpu]",
    "pyarrow": "rfseg[table]",
    "pyarrow.parquet": "rfseg[table]",
    "pycocotools.coco": "rfseg[eval]",
    "pycocotools.cocoeval": "rfseg[eval]",
    "supervision": "supervision",
}


class MissingExtraError(ImportError):
    """An optional package is not installed; the message holds the command that installs it."""


def require(module: str, purpose: str) -> ModuleType:
    """Imports an optional module.

    Args:
        module: a key of the table above, such as "cv2".
        purpose: what needs it, as the start of the sentence: "Drawing".

    Raises:
        MissingExtraError: it is not installed, or it is and cannot be loaded.
        MemoryError: there is not enough memory to load it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        command = f'pip install "{_BROUGHT_BY[module]}"'
        if isinstance(error, ModuleNotFoundError) and error.name in (module, module.partition(".")[0]):
            raise MissingExtraError(f"{purpose} needs the package {module}: {command}", name=module) from None
        if "failed to map" in str(error) or "allocate memory" in str(error):  # as the loader says it
            raise MemoryError(f"{purpose} needs the package {module}, for which there was no room") from error
        raise MissingExtraError(
            f"{purpose} needs the package {module}, which is installed and does not load ({error}); "
            f"reinstall it: {command}",
            name=module,
        ) from error
