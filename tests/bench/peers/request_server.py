"""One request a connection, on Python's socketserver.

    python3 request_server.py PORT TCPServer|ThreadingTCPServer answer|compute
"""

import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        message = self.request.recv(1024).decode().replace("\n", "")
        self.request.sendall(process(message).encode())


def answer(message):
    return f"Hello, {message}"


def compute(message):
    """Counts the steps of the Collatz sequences up to the number asked for."""
    steps = 0
    for start in range(2, int(message)):
        number = start
        while number != 1:
            number = 3 * number + 1 if number % 2 else number // 2
            steps += 1
    return str(steps)


_, port, kind, what = sys.argv
process = {"answer": answer, "compute": compute}[what]
base = getattr(socketserver, kind)


class Server(base):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


with Server(("127.0.0.1", int(port)), Handler) as server:
    print(f"Server is listening to port {port}", flush=True)
    server.serve_forever()
