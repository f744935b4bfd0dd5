// fails at 8: The exit status was not the right one
// Prints whatever has come.
const [port = "8080", path = "/"] = Deno.args;
const connection = await Deno.connect({
  hostname: "127.0.0.1",
  port: Number(port),
});
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
    const colon = text.indexOf(":");
    fields.set(
      text.slice(0, colon).toLowerCase(),
      text.slice(colon + 1).trim(),
    );
  }
  return fields;
}

/** Where the body ends is said in one of four ways (RFC 9112, 6.3). */
async function readBody(): Promise<Uint8Array> {
  if (status === 204 || status === 304) return new Uint8Array(0);
  if (fields.get("transfer-encoding") === "chunked") {
    let body = new Uint8Array(0);
    while (true) {
      const size = parseInt(await line(), 16); // "a;name=x" is 10
      if (size === 0) break;
      body = join(body, await bytes(size));
      await line(); // the line end behind a chunk
    }
    await readFields(); // what may stand behind the last chunk
    return body;
  }
  const length = fields.get("content-length");
  if (length !== undefined) return await bytes(Number(length));
  while (await more());
  return have;
}

/** The next line, without its end: CR LF, or LF alone. */
async function line(): Promise<string> {
  let end = have.indexOf(10);
  while (end < 0) {
    if (!await more()) giveUp();
    end = have.indexOf(10);
  }
  return new TextDecoder().decode(take(end + 1)).replace(/\r?\n$/, "");
}

/** The next so many bytes. */
async function bytes(count: number): Promise<Uint8Array> {
  while (have.length < count) if (!await more()) break;
  return take(count);
}

function take(count: number): Uint8Array {
  const taken = have.slice(0, count);
  have = have.slice(count);
  return taken;
}

async function more(): Promise<boolean> {
  const length = await connection.read(buffer);
  have = join(have, buffer.subarray(0, length ?? 0));
  return length !== null;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...a, ...b]);
}

function giveUp(): never {
  console.error("The answer ended too early.");
  Deno.exit(1);
}
