# udp/time in Python.
import socket
import sys
import time

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
print("Waiting")
while True:
    data, asker = server.recvfrom(65_507)
    server.sendto(f"{int(time.time() * 1000)} {len(data)}".encode(), asker)
