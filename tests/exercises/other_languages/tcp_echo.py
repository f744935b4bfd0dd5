# tcp/echo in Python, with a thread for each client and one byte a write at first.
import socket
import sys
import threading


def serve(connection):
    first = True
    try:
        while True:
            data = connection.recv(4096)
            if not data:
                break
            if first:
                for i in range(min(len(data), 100)):
                    connection.sendall(data[i:i + 1])
                data = data[100:]
                first = False
            connection.sendall(data)
        connection.close()
    except OSError:
        connection.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("Listening")
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
