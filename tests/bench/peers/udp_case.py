"""A converting UDP server in Python, as the broker's.

    python3 udp_case.py PORT upper|lower
"""

import socket
import sys

convert = getattr(str, sys.argv[2])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
print(f"Waiting for connections on port {sys.argv[1]}...", flush=True)
while True:
    data, client = server.recvfrom(65536)
    print(f"Connection established with {client[0]}:{client[1]}")
    server.sendto(convert(data.decode()).encode(), client)
