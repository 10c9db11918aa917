"""Running a network makes no connection, looks up no name and leaves no file behind.

From 1.29 on ONNX Runtime uploads events unless it is told not to. Each script below runs in an interpreter of its own,
in an empty home, under a small library that writes down what is asked of the network.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[2] / "python" / "rfseg" / "demo" / "shapes.onnx"

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char* line) {
  int file = open(getenv("NETWORK_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || write(file, line, strlen(line)) < 0) abort();
  close(file);
}
static int is_internet(const struct sockaddr* to) {
  return to && (to->sa_family == AF_INET || to->sa_family == AF_INET6);
}
int connect(int s, const struct sockaddr* to, socklen_t size) {
  typedef int (*Function)(int, const struct sockaddr*, socklen_t);
  if (is_internet(to)) record("connect\n");
  return ((Function)dlsym(RTLD_NEXT, "connect"))(s, to, size);
}
ssize_t sendto(int s, const void* data, size_t n, int flags, const struct sockaddr* to, socklen_t size) {
  typedef ssize_t (*Function)(int, const void*, size_t, int, const struct sockaddr*, socklen_t);
  if (is_internet(to)) record("sendto\n");
  return ((Function)dlsym(RTLD_NEXT, "sendto"))(s, data, n, flags, to, size);
}
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  typedef int (*Function)(const char*, const char*, const struct addrinfo*, struct addrinfo**);
  record("getaddrinfo\n");
  return ((Function)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, found);
}
"""

# The environment as the native libraries see it: Python's copy does not follow C's setenv().
PRINT_VARIABLE = """
import ctypes
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
print("variable", getenv(b"ORT_DISABLE_TELEMETRY"))
"""

SEGMENT = f"""
import numpy as np, rfseg
segmenter = rfseg.Segmenter({str(MODEL)!r}, device="cpu")
result = segmenter.infer(np.full((90, 120, 3), 99, np.uint8))
print("segmented", result.image_size)
"""

IMPORT_ONNXRUNTIME = f"""
import onnxruntime
print("opened", onnxruntime.InferenceSession({str(MODEL)!r}).get_inputs()[0].name)
"""


class Home:
    """An empty home, and what a script run in it did."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        self.log = folder / "network.log"
        self.environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | {
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "LD_PRELOAD": str(shim),
            "NETWORK_LOG": str(self.log),
        }

    def run(self, script: str) -> str:
        """Returns what the script printed."""
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*"))

    def calls(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("shim")
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture
def home(tmp_path: Path, shim: Path) -> Home:
    return Home(tmp_path, shim)


def test_the_shim_sees_calls_and_the_home_shows_files(home: Home) -> None:
    home.run("""
import pathlib, socket
with socket.socket() as stream:
    stream.connect_ex(("127.0.0.1", 9))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
    datagrams.sendto(b"x", ("127.0.0.1", 9))
socket.getaddrinfo("127.0.0.1", 9)
with socket.socket(socket.AF_UNIX) as local:
    local.connect_ex("/nowhere")
pathlib.Path("~/cache").expanduser().mkdir()
""")
    assert home.calls() == ["connect", "sendto", "getaddrinfo"]
    assert home.files() == [home.folder / "cache"]


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        (SEGMENT, "segmented (90, 120)\n"),
        (SEGMENT + IMPORT_ONNXRUNTIME, "segmented (90, 120)\nopened input\n"),
        ("import rfseg\n" + IMPORT_ONNXRUNTIME + SEGMENT, "opened input\nsegmented (90, 120)\n"),
    ],
    ids=["rfseg", "rfseg, then onnxruntime", "onnxruntime after importing rfseg"],
)
def test_nothing_leaves_the_machine(home: Home, script: str, printed: str) -> None:
    assert home.run(script + PRINT_VARIABLE) == printed + "variable b'1'\n"
    assert home.calls() == []
    assert home.files() == []


def test_a_users_own_choice_is_kept(home: Home) -> None:
    home.environment["ORT_DISABLE_TELEMETRY"] = "0"
    assert home.run("import rfseg" + PRINT_VARIABLE) == "variable b'0'\n"
