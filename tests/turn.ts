/**
 * Who may use the documented ports.
 *
 * @module
 */
import { join } from "@std/path";

/** Waits until no other test run on this machine uses the documented ports. */
export async function takeTurn(): Promise<Disposable> {
  const folder = await Deno.makeTempDir();
  await Deno.remove(folder);
  const path = join(folder, "..", "client-server-examples.lock");
  const file = await Deno.open(path, { create: true, write: true });
  await file.lock(true);
  return file;
}
