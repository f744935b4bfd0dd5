"""A broker's client that behaves on the wire as the Python original does.

    python3 broker_client.py [HOST [PORT]]

It sends the whole request in small letters, reads at most 4,096 bytes, and
waits for its answer without end.
"""
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8082
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("To send data, enter 'tolower:text' or 'toupper:text' (type 'exit' to quit).")
try:
    while True:
        request = input("Enter request: ").strip().lower()
        if request == "exit":
            break
        if not request.startswith(("tolower:", "toupper:")):
            print("Invalid request format. Use 'tolower:text' or 'toupper:text'")
            continue
        client.sendto(request.encode(), (host, port))
        answer, _ = client.recvfrom(4096)
        print("Converted text:", answer.decode(), flush=True)
except EOFError:
    print()
print("Closing socket...")
client.close()
