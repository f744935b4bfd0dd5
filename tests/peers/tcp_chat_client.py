"""A TCP chat client that behaves as the original of tcp/chat_client.ts: it asks,
sends, and waits for one read of up to 4096 bytes, in turns.

    python3 tests/peers/tcp_chat_client.py [--port 23456]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=23456)
port = parser.parse_args().port

with socket.create_connection(("127.0.0.1", port)) as server:
    print(f"Connected to TCP Chat Server at 127.0.0.1:{port}", flush=True)
    said = ""
    while said.lower() != "exit":
        said = input("You (client): ")
        server.sendall(said.encode())
        heard = server.recv(4096)
        if heard == b"":
            print("Server closed the connection.")
            break
        print("Server:", heard.decode().strip(), flush=True)
print("Client closed.")
