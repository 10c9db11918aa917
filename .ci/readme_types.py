"""Checks the types of README's Python blocks, in one file as a reader would type them: mypy --strict, and pyright.

`python .ci/readme_types.py`, in an environment that has rfseg, mypy and pyright. What the blocks take for granted is
declared in front of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TAKEN_FOR_GRANTED = """
import cv2
import numpy as np
import numpy.typing as npt
import rfseg


class Tensor:
    @property
    def __cuda_array_interface__(self) -> dict[str, object]:
        return {}


cuda_tensor = Tensor()
frame = cv2.imread("photo.jpg")
assert frame is not None
frames = [frame]
latest = {"camera": frame}
y, cbcr = np.zeros((4, 6), np.uint8), np.full((2, 3, 2), 128, np.uint8)
yuv_frame = rfseg.YuvFrame((y, cbcr), "nv12", matrix="bt709")
"""


def main() -> int:
    """Returns the first exit code that is not 0."""
    root = Path(__file__).resolve().parents[1]
    blocks = re.findall(r"^```python\n(.*?)^```$", (root / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    if not blocks:
        raise SystemExit("README.md has no Python block: nothing was checked")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "readme.py")
        program.write_text(TAKEN_FOR_GRANTED + "".join(blocks))
        for checker in (["mypy", "--strict", "--cache-dir", folder], ["pyright", "--pythonpath", sys.executable]):
            code = subprocess.run([sys.executable, "-m", *checker, program.name], cwd=folder, check=False).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
