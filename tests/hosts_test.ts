import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertExits, assertPrints } from "./assertions.ts";
import { type Host, Hosts, needsHosts } from "./hosts.ts";
import { find } from "./needs.ts";

/** Sends datagrams from one host to another; returns what arrived. */
async function transmit(hosts: Hosts, from: Host, to: Host, texts: string[]) {
  const python = find("python3") ?? "";
  const receive = `
import socket, sys
s = socket.socket(2, 2)
s.bind(("${to.ipv4}", 7))
print("ready", flush=True)
sys.stdin.read()
s.setblocking(False)
try:
    while True:
        data, sender = s.recvfrom(99)
        print(data.decode(), "from", *sender)
except BlockingIOError:
    pass`;
  const send = `
import socket
s = socket.socket(2, 2)
s.bind(("", 5))
for text in ${JSON.stringify(texts)}:
    s.sendto(text.encode(), ("${to.ipv4}", 7))`;
  await using receiver = to.run(python, ["-S", "-c", receive]);
  await assertPrints(receiver, "ready\n");
  await using sender = from.run(python, ["-S", "-c", send]);
  await assertExits(sender, 0);
  await hosts.packets(); // now all has arrived that will
  await receiver.endInput();
  await assertExits(receiver, 0);
  return receiver.stdout.split("\n").slice(1, -1);
}

Deno.test(needsHosts({
  name: "hosts: a wire that delays, loses, forgets a host, and leaves nothing",
  async fn() {
    const namespaces: string[] = [];
    {
      await using hosts = await Hosts.create();
      const { a, b, c } = hosts;
      namespaces.push(a.namespace, b.namespace, c.namespace);

      const texts = Array.from({ length: 200 }, (_, n) => `number ${n}`);
      const from = ` from ${a.ipv4} 5`;
      const all = await transmit(hosts, a, b, texts);
      assertEquals(all, texts.map((text) => text + from));

      await hosts.set({ loss: 10, lose: ["number 7", 1] });
      const some = await transmit(hosts, a, b, texts);
      assert(some.length > 150 && some.length < 195, `${some.length} of 200`);
      assert(!some.includes(`number 7${from}`));

      await hosts.set({ loss: 0, nat: true });
      const [through] = await transmit(hosts, c, a, ["hello"]);
      assertMatch(through ?? "", /^hello from 10\.77\.0\.9 4\d{4}$/);
      assertEquals(await transmit(hosts, a, c, ["unasked"]), []);

      const before = await hosts.set({ nat: false, delay: 100 });
      await using server = await a.start("tcp:server", ["--host", "::"]);
      await assertPrints(server, "port 12345");
      const began = performance.now();
      await using client = await b.start("tcp:client", ["--host", a.ipv6]);
      await assertExits(client, 0);
      assert(performance.now() - began > 400, "two round trips take 400 ms");
      assert(await hosts.packets() >= before + 8);

      await hosts.set({ delay: 0, dark: ["b"] });
      assertEquals(await transmit(hosts, a, b, ["hello"]), []);
      await hosts.set({ dark: [], down: "b" });
      await using told = await b.start("tcp:client", ["--host", a.ipv4]);
      await assertExits(told, 1);
      assertMatch(told.stderr, /unreachable/);
      await hosts.set({ up: "b" });
      assertEquals(await transmit(hosts, b, a, ["hello"]), [
        "hello from 10.77.0.2 5",
      ]);
    }
    const ip = new Deno.Command(find("ip") ?? "", { args: ["netns"] });
    const left = new TextDecoder().decode((await ip.output()).stdout);
    for (const name of namespaces) assert(!left.includes(name), left);
  },
}));
