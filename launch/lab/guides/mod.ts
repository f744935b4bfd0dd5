/**
 * The guides: for each example, what to do and what to look for.
 *
 * @module
 */
import { broker, nats } from "./broker.ts";
import { tcpChat, udpChat } from "./chats.ts";
import type { Guide } from "./guide.ts";
import { http, serve, threaded } from "./http.ts";
import { incrementer } from "./incrementer.ts";
import { library } from "./library.ts";
import { tcp } from "./tcp.ts";
import { udp } from "./udp.ts";
import { web } from "./web.ts";

export type { Guide, Step } from "./guide.ts";

/** In the order of study. */
export const GUIDES: Guide[] = [
  ...[tcp, tcpChat, udp, udpChat],
  ...[http, threaded, serve, web],
  ...[broker, nats, incrementer, library],
];
