/**
 * The network between the check and the learner's program.
 *
 * @module
 */
import type { Conditions } from "../../launch/wire/conditions/conditions.ts";
import { parseNet } from "../../launch/wire/conditions/parse.ts";
import type { Transport } from "../../launch/wire/relay.ts";

/** The conditions of the one link of an exercise, from what follows `--net`. */
export async function networkOf(
  net: string[],
  transport: Transport,
  seed: number,
): Promise<Conditions> {
  const link = { name: "server", transport };
  return (await parseNet(net, { links: [link], seed })).of(link);
}
