import { join } from "@std/path";
import { blocksOf, parse } from "../blocks.ts";
import type { Exercise } from "../exercise.ts";
import { NotYet } from "../verdict.ts";
import type { Socket, Workplace } from "../workplace.ts";

const exercise: Exercise = {
  name: "udp/receive-file",
  title: "receive a file in blocks: duplicates, and the last word",
  role: "server",
  transport: "udp",
  more: "received.bin",
  flags: ["--allow-read={folder}", "--allow-write={folder}"],
  steps: [
    {
      title: "receives a file of three blocks",
      check: (workplace) =>
        transfer(
          workplace,
          workplace.bytes(1_200),
          "We sent a file in three blocks.",
        ),
    },
    {
      title: "acknowledges a block again whose acknowledgement was lost",
      net: ["down.loss=#1"],
      check: (workplace) =>
        transfer(
          workplace,
          workplace.bytes(1_200),
          "The first acknowledgement was " +
            "lost, so we sent block 1 again.",
        ),
    },
    {
      title: "writes a block once that comes twice",
      net: ["up.duplicate=100%"],
      check: (workplace) =>
        transfer(workplace, workplace.bytes(1_200), "Each block came twice."),
    },
    {
      title: "is still there when the last acknowledgement was lost",
      net: ["down.loss=#3"],
      check: (workplace) =>
        transfer(
          workplace,
          workplace.bytes(1_200),
          "The last acknowledgement was " +
            "lost, so we sent block 3 again.",
        ),
    },
    {
      title: "receives bytes that are no text",
      check: (workplace) => {
        const file = new TextEncoder().encode("2nd line\0\xff \n  \r\n");
        file[9] = 0xff;
        return transfer(
          workplace,
          file,
          "We sent a file with a digit at its " +
            "beginning, a NUL and a byte FF in it, and blanks at its end.",
        );
      },
    },
    {
      title: "receives an empty file",
      check: (workplace) =>
        transfer(
          workplace,
          new Uint8Array(0),
          "We sent an empty file: one block " +
            "without content.",
        ),
    },
    {
      title: "knows the end of a file of exactly two blocks",
      check: (workplace) =>
        transfer(
          workplace,
          workplace.bytes(1_024),
          "We sent a file of 1,024 bytes: " +
            "two full blocks and an empty one.",
        ),
    },
    {
      title: "takes blocks only from the first sender",
      async check(workplace) {
        const file = workplace.bytes(1_200);
        await transfer(
          workplace,
          file,
          "A stranger sent a block 2, too.",
          async () => {
            const stranger = workplace.socket();
            const [, lie] = blocksOf(workplace.bytes(1_200));
            await stranger.send(lie ?? "");
            const answer = await stranger.receive(150);
            if (answer === undefined) return;
            throw new NotYet({
              property: "A stranger sent a block 2, and it was acknowledged.",
              expected: "",
              came: answer.bytes,
              cause:
                "Remember the address of the first block, and pass over all " +
                "others.",
            });
          },
        );
      },
    },
  ],
};

const CAUSE =
  "A block that has been written already is not written again, but it " +
  "is acknowledged again: its sender does not know. After the last block stay " +
  "for 1 s, because its acknowledgement may be lost.";

/** Sends a file as a right sender does; it must arrive whole. */
async function transfer(
  workplace: Workplace,
  file: Uint8Array,
  what: string,
  afterFirst: () => Promise<void> = async () => {},
): Promise<void> {
  const path = join(workplace.folder, "received.bin");
  await workplace.startServer(path);
  const socket = workplace.socket();
  for (const [index, block] of blocksOf(file).entries()) {
    await acknowledged(socket, block, index + 1, what);
    if (index === 0) await afterFirst();
  }
  const status = await workplace.exits(() => ({
    property: `${what} The program did not end after the last block.`,
    cause:
      "The first block with fewer than 512 bytes is the last one. Stay for " +
      "1 s without a repeat, then end.",
  }));
  const came = await Deno.readFile(path).catch(() => new Uint8Array(0));
  const same = came.length === file.length &&
    came.every((byte, index) => byte === file[index]);
  if (!same) {
    throw new NotYet({
      property: `${what} The file is not the one that we sent.`,
      expected: file,
      came,
      cause: CAUSE,
    });
  }
  if (status === 0) return;
  throw new NotYet({
    inWords: true,
    property: `${what} The file is right, and the program failed.`,
    expected: "exit status 0",
    came: `exit status ${status}`,
    cause: "Its last lines say why.",
  });
}

/** Sends a block until it is acknowledged, ten times at most. */
async function acknowledged(
  socket: Socket,
  block: Uint8Array,
  number: number,
  what: string,
): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await socket.send(block);
    const end = performance.now() + 300;
    while (performance.now() < end) {
      const answer = await socket.receive(end - performance.now());
      if (answer === undefined) break;
      const parsed = parse(answer.bytes);
      if (parsed?.kind === "A" && parsed.number === number) return;
      if (parsed?.kind === "A" && parsed.number < number) continue; // an old one
      throw new NotYet({
        property: `${what} The answer to block ${number} was not its ` +
          "acknowledgement.",
        expected: `A 00 00 00 ${number.toString(16).padStart(2, "0")}`,
        came: answer.bytes,
        cause:
          "An acknowledgement is the letter A and the number of the block in " +
          "four bytes, the highest first.",
      });
    }
  }
  throw new NotYet({
    property: `${what} We sent block ${number} ten times, and it was not ` +
      "acknowledged.",
    expected: `A 00 00 00 ${number.toString(16).padStart(2, "0")}`,
    came: "(no acknowledgement of it)",
    cause: CAUSE,
  });
}

export default exercise;
