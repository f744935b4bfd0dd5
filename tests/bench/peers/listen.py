"""Starts like one of the Python originals: imports, listens, says so, waits.

    python3 listen.py tcp|udp MODULE...
"""

import socket
import sys

_, transport, *modules = sys.argv
for module in modules:
    __import__(module)
kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[transport]
server = socket.socket(socket.AF_INET, kind)
server.bind(("127.0.0.1", 0))
if transport == "tcp":
    server.listen(5)
print("Listening on port", server.getsockname()[1], flush=True)
server.recvfrom(1024) if transport == "udp" else server.accept()
