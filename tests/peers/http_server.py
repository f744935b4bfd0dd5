"""The two HTTP servers of document 002, as they talk: one read is the request,
lines end in a line feed alone, and the body ends where the connection ends.

    python3 http_server.py [--threads] [--port 8080]

With --threads each client gets a thread of its own.
"""

import socket
import sys
import threading

THREADS = "--threads" in sys.argv
PORT = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else 8080
HEAD = "HTTP/1.1 200 OK\nContent-Type: text/html\n"
TOP = "<html>\n<head><title>Mini Server</title></head>\n<body>\n"
END = "</body>\n</html>\n"
ONE = f"{HEAD}\n{TOP}<h1>Hello!</h1>\n{END}"
MANY = (
    f"{HEAD}Connection: close\n\n{TOP}<h1>Hello from Python Mini HTTP Server</h1>\n"
    f"<p>This is a threaded, raw socket HTTP response!</p>\n{END}"
)


def serve(connection, client):
    request = connection.recv(1024).decode()
    name = f"HTTP REQUEST from {client}" if THREADS else "HTTP REQUEST"
    print(f"----- {name} -----\n{request}\n------------------------", flush=True)
    connection.sendall((MANY if THREADS else ONE).encode())
    connection.close()


listener = socket.create_server(("127.0.0.1", PORT))
print(f"HTTP Server running on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
while True:
    connection, client = listener.accept()
    if THREADS:
        args = (connection, client)
        threading.Thread(target=serve, args=args, daemon=True).start()
    else:
        print(f"Connection from {client}", flush=True)
        serve(connection, client)
