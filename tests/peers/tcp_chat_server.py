"""A TCP chat server that behaves as the original of tcp/chat_server.ts: one
read of up to 4096 bytes is one message, and it reads nothing while it asks.

    python3 tests/peers/tcp_chat_server.py [--port 23456]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=23456)

listener = socket.create_server(("127.0.0.1", parser.parse_args().port))
place = "{}:{}".format(*listener.getsockname())
print("TCP Chat Server listening on", place, "...", flush=True)
client, address = listener.accept()
print("Client connected from", address, flush=True)
with client, listener:
    said = ""
    while said.lower() != "exit":
        data = client.recv(4096)
        if data == b"":
            print("Client disconnected")
            break
        heard = data.decode().strip()
        print("Client:", heard, flush=True)
        if heard.lower() == "exit":
            client.sendall(b"Goodbye! Closing connection.")
            break
        said = input("You (server): ")
        client.sendall(said.encode())
print("Server closed.")
