"""The wire between the hosts of tests/hosts.ts.

    python3 wire.py NAME

Makes three hosts, the network namespaces NAME-a, NAME-b and NAME-c. Each has
one interface, eth0, with 10.77.0.1 and fd77::1, .2 and ::2, .3 and ::3. It is
a TUN device: what a host sends, we read here as an IP packet, and what we
write here, the host receives. So we are the cable, and do what cables do.

Each line on standard input is a JSON object with what is to change; the answer
is a line with the number of packets that were delivered so far. At the end of
the input, however it comes, hosts and all that runs on them are gone.

    {"delay": 50}           each packet takes 50 ms
    {"loss": 10}            10 of 100 packets disappear, drawn from a fixed seed
    {"lose": ["text", 2]}   the next 2 packets that hold the text disappear
    {"dark": ["a"]}         nothing reaches or leaves a, and nobody is told
    {"down": "a"}           a's interface goes down: its programs are told
    {"up": "a"}             and up again
    {"nat": true}           c is behind a router with the address 10.77.0.9
    {"forge": ["10.77.0.1", 8080, "10.77.0.2", 8082, "text"]}
                            a datagram that 10.77.0.1:8080 never sent
"""
import fcntl
import heapq
import json
import os
import random
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

NAME = sys.argv[1]
HOSTS = "abc"
MTU = 1500


def ip(*arguments, check=True):
    subprocess.run(["ip", *arguments], check=check, stderr=None if check else subprocess.DEVNULL)


def inside(host, *commands):
    """Runs commands of ip there, all in one program."""
    subprocess.run(["ip", "-n", f"{NAME}-{host}", "-batch", "-"],
                   input="\n".join(commands), text=True, check=True)


def connect(host, *before):
    """Raises the interface; what it loses when it goes down, it gets again."""
    number = HOSTS.index(host) + 1
    inside(host, *before,
           "link set eth0 up",
           f"address replace 10.77.0.{number}/24 dev eth0",
           f"address replace fd77::{number}/64 dev eth0 nodad",
           "route replace default dev eth0",
           "route replace ::/0 dev eth0")


def create(host):
    """Makes a host; returns the file through which its packets go."""
    ip("netns", "add", f"{NAME}-{host}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", b"", 0x0001 | 0x1000)  # IFF_TUN, IFF_NO_PI
    device = fcntl.ioctl(tun, 0x400454CA, request)[:16].rstrip(b"\0").decode()
    ip("link", "set", device, "netns", f"{NAME}-{host}", "name", "eth0", "mtu", str(MTU))
    connect(host, "link set lo up")
    return tun


def remove():
    for host in HOSTS:
        name = f"{NAME}-{host}"
        found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
        for pid in found.stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        ip("netns", "delete", name, check=False)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def rewrite(packet, at, address, port):
    """Puts another source (at 12) or destination (at 16) into an IPv4 packet."""
    packet = bytearray(packet)
    head = (packet[0] & 15) * 4
    packet[at : at + 4] = socket.inet_aton(address)
    struct.pack_into("!H", packet, head + (0 if at == 12 else 2), port)
    struct.pack_into("!H", packet, 10, 0)
    struct.pack_into("!H", packet, 10, checksum(packet[:head]))
    place = head + (16 if packet[9] == 6 else 6)
    struct.pack_into("!H", packet, place, 0)
    length = len(packet) - head
    pseudo = packet[12:20] + struct.pack("!BBH", 0, packet[9], length)
    struct.pack_into("!H", packet, place, checksum(pseudo + packet[head:]) or 0xFFFF)
    return bytes(packet)


def ports(packet):
    return struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)


class Wire:
    def __init__(self):
        self.tuns = {}
        self.delay = 0
        self.loss = 0
        self.lose = [b"", 0]
        self.dark = []
        self.nat = False
        self.inner = {}  # what the router knows: outer port -> c's port
        self.outer = {}
        self.packets = 0
        self.queue = []
        self.random = random.Random(77)

    def change(self, wish):
        for key, value in wish.items():
            if key == "lose":
                self.lose = [value[0].encode(), value[1]]
            elif key == "down":
                inside(value, "link set eth0 down")
            elif key == "up":
                connect(value)
            elif key == "forge":
                self.forge(*value)
            elif key in ("delay", "loss", "dark", "nat"):
                setattr(self, key, value)
            else:
                raise ValueError(f"no such condition: {key}")

    def forge(self, source, source_port, target, target_port, text):
        data = text.encode()
        udp = struct.pack("!HHHH", source_port, target_port, 8 + len(data), 0) + data
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                           socket.inet_aton(source), socket.inet_aton(target))
        packet = head + udp
        self.send("", rewrite(packet, 12, source, source_port))

    def translate(self, sender, packet):
        """What a router with one address for all behind it does (NAT)."""
        if packet[0] >> 4 != 4 or packet[9] not in (6, 17):
            return None
        if struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
            return None  # fragments are beyond this router
        kind = packet[9]
        source, target = ports(packet)
        if sender == "c":
            if (kind, source) not in self.outer:
                port = 40_000 + len(self.outer)
                self.outer[kind, source] = port
                self.inner[kind, port] = source
            return rewrite(packet, 12, "10.77.0.9", self.outer[kind, source])
        if (kind, target) not in self.inner:
            return None  # nobody asked for this one
        return rewrite(packet, 16, "10.77.0.3", self.inner[kind, target])

    def send(self, sender, packet):
        """Takes a packet from a host; it arrives after the delay, or never."""
        if packet[0] >> 4 == 4:
            network, last = packet[16:19] == b"\x0a\x4d\x00", packet[19]
        else:
            network, last = packet[24:39] == b"\xfd\x77" + bytes(13), packet[39]
        if self.nat:
            if sender == "c" or (network and last == 9):
                packet = self.translate(sender, packet)
                last = 3 if last == 9 else last
            elif last == 3:
                packet = None
        if packet is None or not network or not 1 <= last <= 3:
            return
        receiver = HOSTS[last - 1]
        if sender in self.dark or receiver in self.dark:
            return
        if self.lose[1] > 0 and self.lose[0] in packet:
            self.lose[1] -= 1
            return
        if self.loss and self.random.random() * 100 < self.loss:
            return
        due = time.monotonic() + self.delay / 1000
        heapq.heappush(self.queue, (due, self.packets, receiver, packet))
        self.packets += 1

    def deliver(self):
        """Hands over what is due; returns how long the next one has to wait."""
        while self.queue and self.queue[0][0] <= time.monotonic():
            _, _, receiver, packet = heapq.heappop(self.queue)
            if receiver in self.dark:
                continue
            try:
                os.write(self.tuns[receiver], packet)
            except OSError:
                pass  # its interface is down
        return max(0, self.queue[0][0] - time.monotonic()) if self.queue else None

    def read(self, host):
        """Takes what the host has sent; returns whether there may be more."""
        for _ in range(64):
            try:
                self.send(host, os.read(self.tuns[host], 65536))
            except OSError:
                return False  # nothing more, or its interface is down
        return True

    def run(self):
        selector = selectors.DefaultSelector()
        for host in HOSTS:
            self.tuns[host] = create(host)
            selector.register(self.tuns[host], selectors.EVENT_READ, host)
        selector.register(0, selectors.EVENT_READ, None)
        print(json.dumps({"packets": 0}), flush=True)
        typed = b""
        while True:
            for key, _ in selector.select(self.deliver()):
                if key.data:
                    self.read(key.data)
                    continue
                received = os.read(0, 65536)
                if not received:
                    return
                *lines, typed = (typed + received).split(b"\n")
                for line in lines:
                    # What was sent before has met the conditions before.
                    for host in HOSTS:
                        while self.read(host):
                            pass
                    self.deliver()
                    self.change(json.loads(line))
                    print(json.dumps({"packets": self.packets}), flush=True)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda *_: sys.exit(0))
try:
    Wire().run()
finally:
    remove()
