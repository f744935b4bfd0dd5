"""Runs a command in a terminal of its own (a pty) and prints what a person would see.

    python3 terminal.py ANSWER LAST COMMAND [ARG ...]

Types ANSWER once a question ("> ") stands there, and stops when LAST is on the screen, or after
60 s.
"""

import os
import pty
import select
import signal
import sys
import time

answer, last, command = sys.argv[1], sys.argv[2].encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
shown = b""
end = time.monotonic() + 60
while time.monotonic() < end and last not in shown:
    ready, _, _ = select.select([terminal], [], [], 0.5)
    if not ready:
        # Deno throws away what is typed before its question stands.
        if b"> " in shown:
            os.write(terminal, answer.encode() + b"\n")
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # what Linux says at the end of a terminal
        break
    if not piece:
        break
    shown += piece
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
