// fails at 3: ended without an answer
// Takes an end for the end of the answer.
const SILENCE_MS = 2_000, WHOLE_MS = 6_000;
const port = Number(Deno.args[0]);

// One limit for all of it, which nothing begins again.
setTimeout(() => giveUp(4, "The answer was not whole after 6 s."), WHOLE_MS);
let silence = setTimeout(tooQuiet, SILENCE_MS);

let answer = "";
try {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode("time?\n"));
  const buffer = new Uint8Array(100), decoder = new TextDecoder();
  while (!answer.includes("\n")) {
    const length = await connection.read(buffer);
    if (length === null) {
      answer += "\n";
      break;
    }
    answer += decoder.decode(buffer.subarray(0, length), { stream: true });
    // Something has come, so the silence begins again.
    clearTimeout(silence);
    silence = setTimeout(tooQuiet, SILENCE_MS);
  }
} catch (error) {
  giveUp(3, error instanceof Error ? error.message : "The connection broke.");
}
console.log(answer.slice(0, answer.indexOf("\n")));
Deno.exit(0); // the timers would keep the program alive

function tooQuiet(): never {
  giveUp(4, "Nothing came for 2 s.");
}

function giveUp(status: number, why: string): never {
  console.error(why);
  Deno.exit(status);
}
