/** A stand-in until the view is here. */
/// <reference lib="dom" />
import type { Cast, Link } from "../../../programs/cast.ts";
import type { Item, PageEvent } from "../../messages.ts";
type Run = Item & { kind: "run" };
type ProgramItem = Item & { kind: "program" };
export class History {
  #items: Item[] = [];
  run: Run | null = null;
  links: Map<string, Link> = new Map();
  #states: Map<string, ProgramItem> = new Map();
  #prompts: Map<string, string | null> = new Map();
  net: (Item & { kind: "net" }) | null = null;
  hold: (Item & { kind: "hold" }) | null = null;
  #events: Map<number, PageEvent> = new Map();
  #subs: Set<() => void> = new Set();
  add(items: readonly Item[]): void {
    for (const item of items) {
      if (item.kind === "run") {
        this.#items = [];
        this.run = item;
        this.links = new Map();
        this.#states = new Map();
        this.#prompts = new Map();
        this.net = this.hold = null;
        this.#events = new Map();
      }
      this.#items.push(item);
      if (item.kind === "program") this.#states.set(item.role, item);
      if (item.kind === "asks") this.#prompts.set(item.role, item.prompt);
      if (item.kind === "link") this.links.set(item.link.name, item.link);
      if (item.kind === "net") this.net = item;
      if (item.kind === "hold") this.hold = item;
      if (item.kind === "wire") this.#events.set(item.event.number, item.event);
    }
    for (const s of this.#subs) s();
  }
  get roles(): readonly string[] {
    return this.run?.cast.members.map((m: Cast["members"][number]) => m.name) ??
      [];
  }
  state(role: string): ProgramItem | undefined {
    return this.#states.get(role);
  }
  prompt(role: string): string | null {
    return this.#prompts.get(role) ?? null;
  }
  event(n: number): PageEvent | undefined {
    return this.#events.get(n);
  }
  get items(): readonly Item[] {
    return this.#items;
  }
  subscribe(f: () => void): () => void {
    this.#subs.add(f);
    return () => this.#subs.delete(f);
  }
}
export class RunView {
  mode: "time" | "rows" | "list" = "time";
  follow = true;
  #off: () => void;
  constructor(
    root: HTMLElement,
    history: History,
    options: {
      openBytes: (n: number) => void;
      accent: (role: string) => string;
    },
  ) {
    const draw = () => {
      root.replaceChildren(
        ...history.items.slice(-200).map((item) => {
          const p = document.createElement("div");
          p.textContent = JSON.stringify(item).slice(0, 160);
          if (item.kind === "wire") {
            p.onclick = () => options.openBytes(item.event.number);
          }
          return p;
        }),
      );
    };
    this.#off = history.subscribe(draw);
    draw();
  }
  focus(_n: number): void {}
  destroy(): void {
    this.#off();
  }
}
export class Inspector {
  #root: HTMLElement;
  constructor(
    root: HTMLElement,
    _ask: (n: number) => Promise<{ bytes: Uint8Array; size: number }>,
  ) {
    this.#root = root;
  }
  show(event: PageEvent, _h: History): void {
    this.#root.textContent = JSON.stringify(event);
  }
  destroy(): void {}
}
export interface Difference {
  a: number | null;
  b: number | null;
  text: string;
}
export function compare(_a: History, _b: History): Difference | null {
  return null;
}
export function toSvg(_h: History): string {
  return "<svg/>";
}
