"""The two sides of document 004, as they talk: one send and one recv each, and no
half-close.

    python3 library.py server [PORT]         one client after the other
    python3 library.py client [PORT [TEXT]]  prints the reply
"""

import socket
import sys

DEFAULTS = ["server", "1234", "Hello Server!"]
role, port, text = (sys.argv[1:] + DEFAULTS[len(sys.argv) - 1 :])[:3]
if role == "server":
    listener = socket.create_server(("127.0.0.1", int(port)))
    print("Server is listening to port", listener.getsockname()[1], flush=True)
    while True:
        connection, (host, number) = listener.accept()
        message = connection.recv(1024).decode().replace("\n", "")
        print(f"Received request from {host}:{number}: {message}", flush=True)
        connection.send(b"Hello Client!")
        connection.close()

connection = socket.create_connection(("127.0.0.1", int(port)))
connection.send(text.encode())
print("Response: ", connection.recv(1024).decode())
connection.close()
