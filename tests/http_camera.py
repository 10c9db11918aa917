"""A camera on this machine's loopback that comes and goes."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Camera:
    """An HTTP server that sends `stream` at the pace of a camera, and `cuts`: how much of it, by turns."""

    def __init__(self, stream: bytes, cuts: list[float], seconds: float) -> None:
        self.turns = 0
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                turn, camera.turns = camera.turns, camera.turns + 1
                if turn >= len(cuts):
                    self.send_error(404)
                    return
                self.send_response(200)
                self.end_headers()
                part = stream[: int(cuts[turn] * len(stream))]
                for at in range(0, len(part), 1880):
                    self.wfile.write(part[at : at + 1880])
                    time.sleep(seconds * 1880 / len(stream))
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://me:secret@127.0.0.1:{self._server.server_port}/live.ts"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
