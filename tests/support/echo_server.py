"""A dumb instrument: it stores whatever it is told, and answers what it was told, or `1`. The floor of every score."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        stored: dict[str, str] = {}
        for line in self.rfile:
            for unit in line.decode("latin-1").strip().split(";"):
                header, _, value = unit.strip().lstrip(":").partition(" ")
                if header.endswith("?"):
                    self.wfile.write(stored.get(header[:-1].upper(), "1").encode() + b"\n")
                else:
                    stored[header.upper()] = value.split(",")[0].strip()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def echo_server() -> Iterator[str]:
    """Its VISA resource name."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"TCPIP::127.0.0.1::{server.server_address[1]}::SOCKET"
        finally:
            server.shutdown()
            thread.join()
