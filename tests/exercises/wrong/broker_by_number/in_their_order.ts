// fails at 2: The second was answered first
// Takes the answers in the order of the requests.
const [port = "7000", serverPort = "7001"] = Deno.args;
const WAIT_MS = 2_000;
const hostname = "127.0.0.1", transport = "udp";
const server = { transport, hostname, port: Number(serverPort) } as const;

// One socket for each side, so that nobody is taken for somebody else.
const clients = Deno.listenDatagram({
  transport,
  hostname,
  port: Number(port),
});
const upstream = Deno.listenDatagram({ transport, hostname, port: 0 });
console.log(`Waiting for requests on port ${port}`);

// Who waits for the answer with which number. A number is used once, so an
// answer that comes late or twice finds nobody here.
const waiting = new Map<string, Deno.Addr>();
let count = 0;
takeAnswers();

for await (const [datagram, client] of receive(clients)) {
  const number = `${++count}`;
  waiting.set(number, client);
  setTimeout(() => {
    if (waiting.delete(number)) send(clients, "error: no answer", client);
  }, WAIT_MS);
  send(upstream, `${number} ${new TextDecoder().decode(datagram)}`, server);
}

async function takeAnswers(): Promise<void> {
  for await (const [datagram, sender] of receive(upstream)) {
    if ((sender as Deno.NetAddr).port !== server.port) continue; // a stranger
    const text = new TextDecoder().decode(datagram);
    const blank = text.indexOf(" ");
    const number = text.slice(0, blank);
    const [[first, client] = ["", undefined]] = waiting;
    if (client === undefined) continue; // late, or twice
    waiting.delete(first);
    send(clients, text.slice(blank + 1), client);
  }
}

/** Yields what comes, and goes on when Windows says that somebody is gone. */
async function* receive(socket: Deno.DatagramConn) {
  while (true) {
    try {
      yield await socket.receive();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}

function send(socket: Deno.DatagramConn, text: string, to: Deno.Addr): void {
  // What cannot be sent is lost, as any datagram may be.
  socket.send(new TextEncoder().encode(text), to).catch(() => {});
}
