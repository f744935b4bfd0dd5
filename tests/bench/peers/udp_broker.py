"""A broker in Python that handles one request after the other.

    python3 udp_broker.py PORT UPPER_PORT LOWER_PORT
"""

import socket
import sys

port, upper, lower = map(int, sys.argv[1:])
servers = {"toupper": ("127.0.0.1", upper), "tolower": ("127.0.0.1", lower)}
broker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
broker.bind(("127.0.0.1", port))
print(f"Waiting for connections on port {port}...", flush=True)
while True:
    data, client = broker.recvfrom(65536)
    operation, _, text = data.decode().partition(":")
    if operation not in servers:
        print("Invalid request received.")
        continue
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(text.encode(), servers[operation])
        reply, _ = asking.recvfrom(65536)
    broker.sendto(reply, client)
