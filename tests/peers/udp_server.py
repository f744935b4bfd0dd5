"""A UDP server that behaves as the original of udp/server.ts: it takes one
datagram of up to 1024 bytes, answers its sender, and ends.

    python3 tests/peers/udp_server.py [--port 12345]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=12345)

with socket.socket(type=socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", parser.parse_args().port))
    print(f"Server listening on port {server.getsockname()[1]}...", flush=True)
    datagram, sender = server.recvfrom(1024)
    print("Client says:", datagram.decode())
    server.sendto(b"Hello from server!", sender)
