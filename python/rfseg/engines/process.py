"""Runs one build in a process of its own and passes on what it says; ends it when this program is told to stop."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rfseg._core import BackendError, InputError, ModelError

Say = Callable[[str, dict[str, Any]], None]
_PATIENCE_S = 5.0
_LAST_WORDS = 15
_ERRORS = {"ModelError": ModelError, "BackendError": BackendError, "InputError": InputError}


def run_worker(request: dict[str, Any], device: int, say: Say) -> dict[str, Any]:
    """Builds what the request asks for; waits.

    Args:
        request: as worker.py reads it.
        device: ordinal of the GPU to build on and for.
        say: hears ("phase", {...}) and ("message", {...}).

    Returns:
        What the worker says when it is done.

    Raises:
        ModelError, BackendError, OSError: what the worker met.
        ModelError: it ended without a word, as TensorRT may over one recipe and not over another.
    """
    if not sys.executable:
        raise BackendError("engines are built by a Python of their own, and this program has none: rfseg build does it")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": _visible(device), "CUDA_DEVICE_ORDER": _order()}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    worker = subprocess.Popen(
        [sys.executable, "-m", "rfseg.engines.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,  # Ctrl-C is for this process, which ends the other one
    )
    last_words: deque[str] = deque(maxlen=_LAST_WORDS)
    listener = threading.Thread(target=lambda: last_words.extend(worker.stderr or ()), daemon=True)
    listener.start()
    try:
        return _outcome(worker, request, say, last_words, listener)
    finally:
        _end(worker)


def _outcome(
    worker: subprocess.Popen[str], request: dict[str, Any], say: Say, last_words: deque[str], listener: threading.Thread
) -> dict[str, Any]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.close()
    except BrokenPipeError:
        pass  # it ended before it read: what it wrote to stderr says why
    for line in worker.stdout:
        kind, facts = next(iter(json.loads(line).items()))
        if kind == "done":
            return dict(facts)
        if kind == "failed":
            raise _error(facts)
        say(kind, facts)
    code = worker.wait()
    listener.join(_PATIENCE_S)
    words = "".join(last_words).strip() or "it said nothing"
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    raise ModelError(f"the process that builds engines ended with {how}: {words}")


def _error(facts: dict[str, Any]) -> Exception:
    number = facts.get("errno")
    if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return OSError(number, f"there is no room for the engine ({facts['text']}); nothing half made was left")
    if number is not None:
        return OSError(number, facts["text"])
    kind = _ERRORS.get(facts["kind"])
    return kind(facts["text"]) if kind else BackendError(f"building failed: {facts['kind']}: {facts['text']}")


def _end(worker: subprocess.Popen[str]) -> None:
    if worker.poll() is None:
        worker.terminate()
        try:
            worker.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    for pipe in (worker.stdout, worker.stderr):
        if pipe:
            pipe.close()


def _visible(device: int) -> str:
    """The one GPU that the worker may see, in the words of the list that this process sees."""
    listed = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return listed[device] if device < len(listed) else str(device)


def _order() -> str:
    return os.environ.get("CUDA_DEVICE_ORDER", "FASTEST_FIRST")


@contextmanager
def stopping_cleanly() -> Iterator[None]:
    """Lets SIGTERM end the program as sys.exit does, so that what is half made goes; where nobody else handles it."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not ours:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
