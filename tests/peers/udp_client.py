"""A UDP client that behaves as the original of udp/client.ts: it waits for an
answer without a limit, and believes whoever sends one.

    python3 tests/peers/udp_client.py [--port 12345]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=12345)

with socket.socket(type=socket.SOCK_DGRAM) as client:
    server = "127.0.0.1", parser.parse_args().port
    client.sendto(b"Hello from client!", server)
    answer, _ = client.recvfrom(1024)
    print("Server says:", answer.decode())
