"""A broker's server that behaves on the wire as the Python originals do.

    python3 udp_converter.py [--port 8080] [--operation toupper|tolower]

It answers at most 1,024 bytes, and ends with an empty datagram.
"""
import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=8080)
parser.add_argument("--operation", choices=["toupper", "tolower"], default="toupper")
options = parser.parse_args()

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", options.port))
print(f"Waiting for connections on 127.0.0.1:{server.getsockname()[1]} ...", flush=True)
while True:
    data, sender = server.recvfrom(1024)
    if not data:
        break
    print(f"Connection established with {sender[0]}:{sender[1]}", flush=True)
    text = data.decode()
    answer = text.upper() if options.operation == "toupper" else text.lower()
    server.sendto(answer.encode(), sender)
