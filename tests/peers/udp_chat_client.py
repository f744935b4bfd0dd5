"""A UDP chat client that behaves as the original of udp/chat_client.ts: it asks,
sends, and waits for one datagram without a limit, in turns.

    python3 tests/peers/udp_chat_client.py [--port 23457]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=23457)
port = parser.parse_args().port

with socket.socket(type=socket.SOCK_DGRAM) as client:
    hint = "Type messages; 'exit' to quit."
    print(f"Connected (UDP) to 127.0.0.1:{port}. {hint}", flush=True)
    said = ""
    while said.lower() != "exit":
        said = input("You (client): ")
        client.sendto(said.encode(), ("127.0.0.1", port))
        datagram, _ = client.recvfrom(4096)
        print("Server:", datagram.decode().strip(), flush=True)
print("Client closed.")
