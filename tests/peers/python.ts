/**
 * Starts the Python programs of this folder, which behave as the originals do.
 *
 * @module
 */
import { Program, ROOT } from "../../launch/programs/program.ts";
import { find } from "../needs.ts";

/** Starts `tests/peers/NAME.py`; it needs python3. */
export function startPython(name: string, port: number): Program {
  const file = `tests/peers/${name}.py`;
  return new Program(
    file,
    ["-u", file, "--port", `${port}`],
    {},
    ROOT,
    find("python3"),
    { PYTHONIOENCODING: "utf-8" },
  );
}
