"""The slow line lets bytes pass whole, in order, and no faster than it says."""

import socket
import threading
import time

from bench.line import slow_line

BITS_PER_S = 800_000
DATA = bytes(range(256)) * 80


def test_a_slow_line_is_slow_and_loses_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()

        def echo() -> None:
            there, _ = server.accept()
            with there:
                while data := there.recv(4096):
                    there.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        with (
            slow_line(host, port, BITS_PER_S) as near,
            socket.create_connection(("127.0.0.1", near), 10) as here,
        ):
            begun_s = time.monotonic()
            here.sendall(DATA)
            came = b""
            while len(came) < len(DATA):
                came += here.recv(4096)
            took_s = time.monotonic() - begun_s
    assert came == DATA
    assert took_s >= len(DATA) * 8 / BITS_PER_S
