"""The threaded page server in Python: a thread for each connection.

    python3 page_server.py PORT
"""

import socket
import sys
import threading

PAGE = b"""\
<!DOCTYPE html>
<html>
<head><title>Mini Server</title></head>
<body>
<h1>Hello from Python</h1>
<p>This is a threaded, raw socket HTTP response!</p>
</body>
</html>
"""
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(PAGE)
)


def serve(connection, address):
    with connection:
        request = connection.recv(1024).decode()
        print(f"----- HTTP REQUEST from {address} -----")
        print(request)
        print("-----------------------------------")
        connection.sendall(HEAD + PAGE)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
print(f"Threaded HTTP Server running on http://127.0.0.1:{sys.argv[1]}", flush=True)
while True:
    threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
