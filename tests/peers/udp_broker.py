"""A broker that behaves on the wire as the Python original does.

    python3 udp_broker.py [--port 8082] [--toupper 8080] [--tolower 8081]

One request at a time, at most 1,024 bytes, and exactly one colon in it: all
others get no answer. It waits for its server without end, and ends with an empty
datagram.
"""
import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=8082)
parser.add_argument("--toupper", type=int, default=8080)
parser.add_argument("--tolower", type=int, default=8081)
options = parser.parse_args()
servers = {"toupper": options.toupper, "tolower": options.tolower}

broker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
broker.bind(("127.0.0.1", options.port))
print(f"Waiting for connections on 127.0.0.1:{broker.getsockname()[1]} ...", flush=True)
while True:
    request, client = broker.recvfrom(1024)
    if not request:
        break
    parts = request.decode().strip().split(":")
    if len(parts) != 2 or parts[0] not in servers:
        continue
    operation, text = parts
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(text.encode(), ("127.0.0.1", servers[operation]))
        answer, _ = asking.recvfrom(1024)
    broker.sendto(answer, client)
