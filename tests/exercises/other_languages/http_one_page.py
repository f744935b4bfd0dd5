# http/one-page in Python, with a thread for each client.
import re
import socket
import sys
import threading

PAGE = "<!DOCTYPE html><html lang=en><title>Hi</title><p>Grüße</p></html>".encode()


def serve(connection):
    connection.settimeout(3)
    head = b""
    try:
        while b"\r\n\r\n" not in head and len(head) < 16_384:
            data = connection.recv(1)
            if not data:
                return connection.close()
            head += data
        line = head.split(b"\r\n")[0].decode(errors="replace")
        good = re.fullmatch(r"[A-Z]+ /\S* HTTP/1\.1", line)
        status = "200 OK" if good else "400 Bad Request"
        connection.sendall((
            f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Length: {len(PAGE)}\r\nConnection: close\r\n\r\n").encode())
        if not line.startswith("HEAD "):
            connection.sendall(PAGE)
    except OSError:
        pass
    connection.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("Listening")
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
