"""A TCP server that behaves as the original of tcp/server.ts: one client, one
read, one answer, and the end.

    python3 tests/peers/tcp_server.py [--port 12345]

It does not set SO_REUSEADDR. So nobody can listen on its port for a minute
after it, because the closed connection is remembered there (TIME_WAIT).
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=12345)

listener = socket.socket()
listener.bind(("127.0.0.1", parser.parse_args().port))
listener.listen(1)
print(f"Server listening on port {listener.getsockname()[1]}...", flush=True)
connection, address = listener.accept()
print("Connected by", address)
print("Client says:", connection.recv(1024).decode())
connection.sendall(b"Hello from server!")
connection.close()
listener.close()
