"""A TCP client that behaves as the original of tcp/client.ts: it says hello,
and takes what one read returns for the answer.

    python3 tests/peers/tcp_client.py [--port 12345]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=12345)

with socket.create_connection(("127.0.0.1", parser.parse_args().port)) as server:
    server.sendall(b"Hello from client!")
    print("Server says:", server.recv(1024).decode())
