"""The two programs of document 003, as they talk: a thread for each client, no
sentinel behind the ID and behind the server's numbers.

    python3 incrementer.py server          prints its port
    python3 incrementer.py client PORT ID  counts, asks twice, leaves
"""

import socket
import sys
import threading
import time


def serve(connection):
    ident = connection.recv(1024).decode()  # whatever one read returns
    print(f"ID [{ident}]", flush=True)
    connection.send(b"100")
    try:
        while data := connection.recv(1024).decode():
            for message in data.split(" "):
                if message == "odd":
                    connection.send(b"7")
                elif message == "even":
                    connection.send(b"8")
                elif message:
                    print("number", int(message), flush=True)
    except ConnectionError:
        pass  # it has gone


def server():
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def client(port, ident):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.send(ident.encode())
    number, increment = int(connection.recv(1024).decode()), 1
    print("last", number, flush=True)
    for request in ("odd ", "even "):
        for _ in range(3):
            number += increment
            connection.send(f"{number} ".encode())
            time.sleep(0.02)
        connection.send(request.encode())
        increment = int(connection.recv(1024).decode())
        print(request + str(increment), flush=True)
    connection.close()


if sys.argv[1] == "server":
    server()
else:
    client(int(sys.argv[2]), sys.argv[3])
