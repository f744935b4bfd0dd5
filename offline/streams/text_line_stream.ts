/**
 * Stand-in for `jsr:@std/streams/text-line-stream` where JSR is out of reach:
 * the part that this project uses.
 *
 * @module
 */

/** Turns pieces of text into lines, without the LF or CR LF at their ends. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(text, controller) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line.replace(/\r$/, ""));
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
