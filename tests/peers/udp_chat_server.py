"""A UDP chat server that behaves as the original of udp/chat_server.ts: it
answers whoever has sent the last datagram, one datagram a turn.

    python3 tests/peers/udp_chat_server.py [--port 23457]
"""

import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=23457)

with socket.socket(type=socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", parser.parse_args().port))
    place = "{}:{}".format(*server.getsockname())
    print("UDP Chat Server listening on", place, "...", flush=True)
    client, said = None, ""
    while said.lower() != "exit":
        datagram, sender = server.recvfrom(4096)
        heard = datagram.decode().strip()
        if client is None:
            client = sender
            print("Client connected from", client)
        print("Client:", heard, flush=True)
        if heard.lower() == "exit":
            server.sendto(b"Goodbye! Closing session.", sender)
            break
        said = input("You (server): ")
        server.sendto(said.encode(), sender)
print("Server closed.")
