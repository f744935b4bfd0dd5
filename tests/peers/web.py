"""The web client and server of document 000, as they talk: one read is a
request, one read is a response; the server compares "Connection: Close" to the
letter, and ends then without an answer.

    python3 web.py server [PORT]                serves the folder public
    python3 web.py client PORT LINK Keep-Alive  asks once, or with Close
"""

import socket
import sys


def server(port):
    listener = socket.create_server(("127.0.0.1", port))
    print(f"Listening on port {listener.getsockname()[1]} ...", flush=True)
    while True:
        connection, _ = listener.accept()
        request = connection.recv(1024).decode()
        print(request, flush=True)
        if "Connection: Close" in request:
            print("Close request received. Server is closing...", flush=True)
            connection.close()
            return
        name = request.split()[1]
        name = "/index.html" if name == "/" else "/" + name.removeprefix("/")
        try:
            with open("public" + name) as file:
                response = "HTTP/1.0 200 OK\n\n" + file.read()
        except FileNotFoundError:
            response = "HTTP/1.0 404 NOT FOUND\n\nFile Not Found"
        connection.sendall(response.encode())
        connection.close()


def client(port, link, wish):
    connection = socket.create_connection(("127.0.0.1", port))
    head = f"GET {link} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: {wish}\r\n\r\n"
    connection.sendall(head.encode())
    print(connection.recv(4096).decode(), flush=True)
    connection.close()


if sys.argv[1] == "server":
    server(int(sys.argv[2]) if len(sys.argv) > 2 else 8080)
else:
    client(int(sys.argv[2]), sys.argv[3], sys.argv[4])
