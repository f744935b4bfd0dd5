// fails at 4: Another one in the room should hear it
// Waits for the name around accept().
const MOST = 1_000_000; // bytes that may wait for one member
const port = Number(Deno.args[0]);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Listening on port ${port}`);

/** Somebody in the room. All that is known of one is in one place. */
class Member {
  name = "";
  #waiting = 0;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(readonly connection: Deno.TcpConn) {}

  /** Sends a line when those before it are sent. Does not wait for it. */
  send(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#waiting += bytes.length;
    if (this.#waiting > MOST) return this.close(); // never reads
    this.#sending = this.#sending.then(async () => {
      let sent = 0;
      while (sent < bytes.length) {
        sent += await this.connection.write(bytes.subarray(sent));
      }
      this.#waiting -= bytes.length;
    }).catch(() => {}); // gone: its own loop says so
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // It is closed already.
    }
  }
}

const room = new Set<Member>();
while (true) {
  const member = new Member(await listener.accept());
  const lines = linesOf(member.connection);
  const { value } = await lines.next();
  member.name = value ?? "";
  room.add(member);
  tell(member, `* ${member.name} is here`);
  serve(member, lines);
}

async function serve(member: Member, lines: AsyncGenerator<string>) {
  try {
    for await (const line of lines) {
      if (member.name !== "") {
        tell(member, `${member.name}: ${line}`);
        continue;
      }
      member.name = line;
      room.add(member);
      tell(member, `* ${line} is here`);
    }
  } catch {
    // A reset, or we have closed it. Either way this member is gone.
  }
  member.close();
  if (room.delete(member)) tell(member, `* ${member.name} has left`);
}

/** Tells all others. */
function tell(member: Member, line: string): void {
  for (const other of [...room]) if (other !== member) other.send(line);
}

/** Yields the lines of a stream that may be cut anywhere. */
async function* linesOf(connection: Deno.TcpConn): AsyncGenerator<string> {
  const buffer = new Uint8Array(4096), decoder = new TextDecoder();
  let text = "";
  while (true) {
    const length = await connection.read(buffer);
    if (length === null) return;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
