/**
 * A run in an element of the page: diagram or list, with search and follow.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { drawingOf, type Frame, heightOf } from "./diagram.ts";
import type { Change, Entry, History } from "./history.ts";
import { isEvent, itemHeight, listItem } from "./list.ts";
import { ROW, Scale } from "./scale.ts";
import { Search } from "./search.ts";
import { DIAGRAM_STYLE } from "./style.ts";
import { toElement } from "./svg.ts";
import { sentence } from "./words.ts";

/** How a run is shown. */
export type Mode = "time" | "rows" | "list";

/** What a view needs of the page. */
export interface RunViewOptions {
  /** The bytes of an event were asked for, by a click or Enter. */
  openBytes: (number: number) => void;
  /** The colour of a program, as CSS. */
  accent: (role: string) => string;
}

/** Below this width of the view the list is what is shown, in px. */
const NARROW = 560;

/** Room for the times, and at the right, in px. */
const GUTTER = 72, RIGHT = 12;

/** The user has scrolled away from the end if it is farther than this, in px. */
const AWAY = 48;

/** How often a sentence is said while following, in ms. */
const SAID_MS = 3_000;

/** How long a search may work in one frame, in ms. */
const SEARCH_MS = 8;

const MODES: [Mode, string][] = [
  ["time", "Time"],
  ["rows", "Rows"],
  ["list", "List"],
];

let views = 0;
let sheet: CSSStyleSheet | undefined;

/**
 * Shows a run, live. Dispatches `change` when mode, follow or focus have changed.
 *
 * Only what is in sight is in the page, and a screen above and below. There is one
 * change of the page for each frame at most.
 */
export class RunView extends EventTarget {
  readonly #root: HTMLElement;
  readonly #history: History;
  readonly #options: RunViewOptions;
  readonly #scale: Scale;
  readonly #id = `lv${++views}`;
  readonly #scroller = make("div", "lv-scroll");
  readonly #sheet = make("div", "lv-sheet");
  readonly #drawing = document.createElementNS(
    "http://www.w3.org/2000/svg",
    "svg",
  );
  readonly #plot = document.createElementNS("http://www.w3.org/2000/svg", "g");
  readonly #list = make("ol", "lv-list");
  readonly #empty = make("p", "lv-empty");
  readonly #status = make("p", "lv-status lv-unseen");
  readonly #follower = make("button", "lv-follow");
  readonly #more = make("span", "lv-more");
  readonly #modes = make("div", "lv-modes");
  readonly #field = make("input", "lv-field");
  readonly #count = make("output", "lv-count");
  readonly #cut = make("p", "lv-cut");
  readonly #unsubscribe: () => void;
  readonly #observer: ResizeObserver;
  readonly #shown = new Map<string, { element: Element; signature: string }>();
  #mode: Mode = "time";
  #follow = true;
  #focused: Entry | null = null;
  #marked: { number: number; text: string } | null = null;
  #anchor: { entry: Entry; offset: number } | null = null;
  #frame = 0;
  #width = 0;
  #height = 0;
  #scrollTop = 0;
  #setTop = 0;
  #character = 7.5;
  #finding: Search;
  #hit = -1;
  #isSearching = false;
  #unseen = 0;
  #said = { events: 0, lost: 0 };
  #saying: ReturnType<typeof setTimeout> | undefined;
  #aging: ReturnType<typeof setInterval> | undefined;
  #latest = { at: 0, wall: performance.now() };

  constructor(root: HTMLElement, history: History, options: RunViewOptions) {
    super();
    this.#root = root;
    this.#history = history;
    this.#options = options;
    this.#scale = new Scale(
      history,
      (entry) => heightOf(entry, history, this.#place()),
    );
    this.#finding = new Search(history, "");
    this.#build();
    this.#unsubscribe = history.subscribe((change) => this.#changed(change));
    this.#observer = new ResizeObserver(() => this.#measure());
    this.#observer.observe(this.#scroller);
    this.#measure();
  }

  /** Linear in time, one row an event, or the list. */
  get mode(): Mode {
    return this.#mode;
  }

  set mode(mode: Mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    if (mode !== "list") this.#scale.spacing = mode;
    this.#modeChanged();
  }

  /** Whether the end stays in sight. */
  get follow(): boolean {
    return this.#follow;
  }

  set follow(on: boolean) {
    if (on === this.#follow) return;
    if (on) {
      this.#follow = true;
      this.#unseen = 0;
      this.#setFocused(null);
    } else this.#stopFollowing();
    this.#tell();
    this.#draw();
  }

  #stopFollowing(): void {
    this.#follow = false;
    // The next sentence is about what comes once it follows again.
    this.#said = { events: 0, lost: 0 };
    clearTimeout(this.#saying);
    this.#saying = undefined;
  }

  /** The number of the event that has the focus; null if none has. */
  get focused(): number | null {
    return this.#focused?.number || null;
  }

  /** Gives an event the focus, and brings it into sight. */
  focus(number: number): void {
    const entry = this.#history.entryOf(number);
    if (!entry) return;
    this.#setFocused(entry);
    this.#scroller.focus({ preventScroll: true });
  }

  /** Goes to the field for searching. */
  search(): void {
    this.#field.focus();
    this.#field.select();
  }

  /** Marks an event, with what there is to say about it; null for none. */
  mark(number: number | null, text = ""): void {
    this.#marked = number === null ? null : { number, text };
    this.#forget();
    this.#draw();
  }

  /** Takes all of it out of the page. */
  destroy(): void {
    this.#unsubscribe();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#saying);
    clearInterval(this.#aging);
    this.#root.removeEventListener("keydown", this.#rootKey);
    this.#root.replaceChildren();
    this.#root.classList.remove("lv", "lv-narrow");
  }

  // -------------------------------------------------------------- building

  #build(): void {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(DIAGRAM_STYLE);
      document.adoptedStyleSheets.push(sheet);
    }
    this.#root.classList.add("lv");
    this.#modes.setAttribute("role", "group");
    this.#modes.setAttribute("aria-label", "Show as");
    for (const [mode, name] of MODES) {
      const button = make("button", "lv-mode");
      button.type = "button";
      button.textContent = name;
      button.dataset.mode = mode;
      button.addEventListener("click", () => this.mode = mode);
      this.#modes.append(button);
    }
    this.#follower.type = "button";
    this.#follower.setAttribute("role", "switch");
    this.#follower.append(make("span", "lv-knob"), "Follow");
    this.#follower.addEventListener("click", () => this.follow = !this.follow);
    this.#field.type = "search";
    this.#field.placeholder = "Search";
    this.#field.setAttribute("aria-label", "Search in messages and lines");
    this.#field.addEventListener("input", () => this.#find());
    this.#field.addEventListener("keydown", (event) => this.#fieldKey(event));
    const step = (name: string, sign: string, by: number) => {
      const button = make("button", "lv-step");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", () => this.#step(by));
      return button;
    };
    const finder = make("div", "lv-finder");
    finder.setAttribute("role", "search");
    finder.append(
      this.#field,
      this.#count,
      step("Previous", "↑", -1),
      step("Next", "↓", 1),
    );
    const bar = make("div", "lv-bar");
    this.#cut.textContent =
      "Only the first 1,024 bytes of each message are searched.";
    this.#cut.hidden = true;
    bar.append(this.#modes, this.#follower, this.#more, finder, this.#cut);

    this.#scroller.tabIndex = 0;
    this.#scroller.setAttribute("role", "listbox");
    this.#scroller.setAttribute("aria-label", "Events");
    this.#scroller.addEventListener("scroll", () => this.#scrolled());
    this.#scroller.addEventListener("keydown", (event) => this.#key(event));
    this.#scroller.addEventListener("click", (event) => this.#click(event));
    this.#sheet.setAttribute("role", "presentation");
    this.#drawing.setAttribute("class", "lv-drawing");
    this.#drawing.setAttribute("role", "presentation");
    this.#plot.setAttribute("role", "presentation");
    this.#list.setAttribute("role", "presentation");
    this.#drawing.append(this.#plot);
    this.#sheet.append(this.#drawing, this.#list);
    this.#empty.textContent =
      "Nothing has happened yet. Start the programs: what they say and send shows here.";
    this.#scroller.append(this.#sheet);
    this.#status.setAttribute("role", "status");
    this.#root.replaceChildren(bar, this.#scroller, this.#empty, this.#status);
    this.#root.addEventListener("keydown", this.#rootKey);
    this.#colours();
    this.#modeChanged();
  }

  #colours(): void {
    for (const [index, role] of this.#history.roles.entries()) {
      this.#root.style.setProperty(
        `--lv-c${index % 6}`,
        this.#options.accent(role),
      );
    }
  }

  get #isList(): boolean {
    return this.#mode === "list" || this.#isNarrow;
  }

  get #isNarrow(): boolean {
    return this.#width > 0 && this.#width < NARROW;
  }

  #modeChanged(): void {
    for (const button of this.#modes.children) {
      const isOn = (button as HTMLElement).dataset.mode === this.#mode;
      button.setAttribute("aria-pressed", `${isOn}`);
    }
    this.#drawing.toggleAttribute("hidden", this.#isList);
    this.#list.hidden = !this.#isList;
    this.#root.classList.toggle("lv-narrow", this.#isNarrow);
    this.#root.classList.toggle("lv-listed", this.#isList);
    this.#forget();
    this.#tell();
    this.#draw();
  }

  /** Everything has to be drawn anew. */
  #forget(): void {
    this.#shown.clear();
    this.#plot.replaceChildren();
    this.#list.replaceChildren();
  }

  #measure(): void {
    const wasNarrow = this.#isNarrow;
    this.#width = this.#scroller.clientWidth;
    this.#height = this.#scroller.clientHeight;
    const bar = this.#scroller.offsetWidth - this.#width;
    const parent = this.#root.parentElement;
    parent?.style.setProperty("--gutter", `${GUTTER}px`);
    parent?.style.setProperty("--gutter-right", `${RIGHT + bar}px`);
    const context = document.createElement("canvas").getContext("2d");
    const label = getComputedStyle(this.#scroller);
    if (context) {
      context.font = `13px ${label.getPropertyValue("--mono") || "monospace"}`;
      const { width } = context.measureText("0".repeat(100));
      if (width > 0) this.#character = width / 100;
    }
    this.#scale.replace();
    if (wasNarrow !== this.#isNarrow) this.#modeChanged();
    else this.#draw();
  }

  // --------------------------------------------------------------- changes

  #changed(change: Change): void {
    this.#scale.update(change);
    if (change.emptied) {
      this.#setFocused(null);
      this.#anchor = null;
      this.#unseen = 0;
      this.#marked = null;
      this.#forget();
      this.#find();
      this.#colours();
    }
    let events = 0, lost = 0;
    for (const item of change.items) {
      if ("at" in item) this.#came(item.at);
      if (item.kind === "run") this.#colours();
      if (item.kind !== "wire") continue;
      this.#came(item.event.delivered ?? item.event.sent);
      if (item.event.fate === "lost") lost++;
    }
    const fresh = this.#history.entries.slice(change.from);
    events = fresh.filter(isEvent).length;
    if (this.#follow) this.#say(events, lost);
    else this.#unseen += events;
    if (change.dropped > 0) this.#finding.drop(this.#history.entries[0]);
    this.#finding.add(fresh);
    const focused = this.#focused;
    if (focused && this.#history.indexOf(focused) < 0) this.#setFocused(null);
    this.#age();
    this.#draw();
  }

  #came(at: number): void {
    if (at > this.#latest.at) this.#latest = { at, wall: performance.now() };
  }

  /** The age of what is held is a text that changes each second. */
  #age(): void {
    const waits = (this.#history.hold?.held.length ?? 0) > 0;
    if (waits && this.#aging === undefined) {
      this.#aging = setInterval(() => this.#draw(), 1_000);
    } else if (!waits) {
      clearInterval(this.#aging);
      this.#aging = undefined;
    }
  }

  /** At most one sentence in a while, for those who cannot see it. */
  #say(events: number, lost: number): void {
    this.#said.events += events;
    this.#said.lost += lost;
    if (this.#saying !== undefined || events + lost === 0) return;
    this.#saying = setTimeout(() => {
      this.#saying = undefined;
      const { events, lost } = this.#said;
      this.#said = { events: 0, lost: 0 };
      if (!this.#follow || events + lost === 0) return;
      this.#status.textContent = `${events} more${
        lost > 0 ? `, ${lost} lost` : ""
      }`;
    }, SAID_MS);
  }

  #tell(): void {
    this.#follower.setAttribute("aria-checked", `${this.#follow}`);
    this.dispatchEvent(new Event("change"));
  }

  // --------------------------------------------------------------- drawing

  #draw(): void {
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#paint();
      });
    }
  }

  get #itemHeight(): number {
    return itemHeight(this.#width);
  }

  #yOf(entry: Entry): number {
    return this.#isList
      ? this.#history.indexOf(entry) * this.#itemHeight
      : this.#scale.startOf(entry);
  }

  get #sheetHeight(): number {
    return this.#isList
      ? this.#history.entries.length * this.#itemHeight + 8
      : this.#scale.height;
  }

  #paint(): void {
    if (this.#isSearching) {
      this.#finding.work(SEARCH_MS);
      this.#isSearching = !this.#finding.isDone;
      if (this.#isSearching) this.#draw();
    }
    this.#showCount();
    const isEmpty = this.#history.entries.length === 0;
    this.#empty.hidden = !isEmpty;
    this.#more.textContent = this.#follow || this.#unseen === 0
      ? ""
      : `${this.#unseen.toLocaleString("en-US")} new below`;

    const height = Math.ceil(this.#sheetHeight);
    this.#sheet.style.height = `${height}px`;
    const most = Math.max(0, height - this.#height);
    let top = this.#scrollTop;
    if (this.#follow) {
      top = most;
    } else if (this.#anchor) {
      // What is looked at stays where it is, whatever goes on above it.
      const { entry, offset } = this.#anchor;
      if (this.#history.indexOf(entry) >= 0) top = this.#yOf(entry) - offset;
    }
    top = Math.round(Math.min(most, Math.max(0, top)));
    if (top !== this.#scrollTop) {
      this.#scrollTop = this.#setTop = top;
      this.#scroller.scrollTop = top;
    }
    if (!this.#follow) this.#keepPlace();
    const from = top - this.#height, to = top + 2 * this.#height;
    if (this.#isList) this.#paintList(from, to);
    else this.#paintDrawing(from, to);
    this.#setActive();
  }

  /** Keeps in mind which entry is at the top. */
  #keepPlace(): void {
    const entry = this.#topEntry();
    this.#anchor = entry
      ? { entry, offset: this.#yOf(entry) - this.#scrollTop }
      : null;
  }

  #topEntry(): Entry | undefined {
    if (this.#isList) {
      const index = Math.ceil(this.#scrollTop / this.#itemHeight);
      return this.#history.entries[
        Math.min(index, this.#history.entries.length - 1)
      ];
    }
    const { knots } = this.#scale;
    const from = this.#scale.firstBelow(this.#scrollTop);
    for (let i = from; i < knots.length && i < from + 200; i++) {
      if (knots[i]?.arrives === false) return knots[i]?.entry;
    }
    return undefined;
  }

  #paintDrawing(from: number, to: number): void {
    const top = Math.max(0, Math.floor(from));
    const height = Math.min(Math.ceil(to), Math.ceil(this.#scale.height)) - top;
    this.#drawing.style.top = `${top}px`;
    this.#drawing.setAttribute("width", `${this.#width}`);
    this.#drawing.setAttribute("height", `${Math.max(0, height)}`);
    this.#plot.setAttribute("transform", `translate(0,${-top})`);
    const frame = this.#place();
    const drawn = drawingOf(this.#history, this.#scale, frame, from, to);
    const focused = this.#focused;
    if (focused && !drawn.some(({ key }) => key === focused.key)) {
      const y = this.#scale.startOf(focused);
      drawn.push(
        ...drawingOf(this.#history, this.#scale, frame, y - 1, y + 1)
          .filter(({ key }) => key === focused.key),
      );
    }
    const keys = new Set(drawn.map(({ key }) => key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    // Later ones stand above earlier ones, so that each text hides what crosses it.
    let previous: Element | null = null;
    for (const { key, signature, draw } of drawn) {
      let own = this.#shown.get(key);
      if (own?.signature !== signature) {
        const element = toElement(draw());
        this.#describe(element);
        own?.element.replaceWith(element);
        own = { element, signature };
        this.#shown.set(key, own);
      }
      const next: Element | null = previous
        ? previous.nextElementSibling
        : this.#plot.firstElementChild;
      if (own.element !== next) this.#plot.insertBefore(own.element, next);
      previous = own.element;
    }
  }

  /** Where things stand now. */
  #place(): Frame {
    const { at, wall } = this.#latest;
    return {
      width: this.#width,
      gutter: GUTTER,
      right: RIGHT,
      character: this.#character,
      now: at + (performance.now() - wall) * 1000,
    };
  }

  #paintList(from: number, to: number): void {
    const { entries } = this.#history;
    const height = this.#itemHeight;
    const first = Math.max(0, Math.floor(from / height));
    const last = Math.min(entries.length, Math.ceil(to / height));
    const shown = entries.slice(first, last);
    if (this.#focused && !shown.includes(this.#focused)) {
      shown.push(this.#focused);
    }
    const keys = new Set(shown.map(({ key }) => key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let previous: Element | null = null;
    for (const entry of shown) {
      const index = this.#history.indexOf(entry);
      const signature = `${entry.version}`;
      let own = this.#shown.get(entry.key);
      if (own?.signature !== signature) {
        const element = listItem(entry, this.#history);
        this.#describe(element);
        own?.element.replaceWith(element);
        own = { element, signature };
        this.#shown.set(entry.key, own);
      }
      // In the page in the order of the list, for those who read it there.
      const next: Element | null = previous
        ? previous.nextElementSibling
        : this.#list.firstElementChild;
      if (own.element !== next) this.#list.insertBefore(own.element, next);
      previous = own.element;
      const item = own.element as HTMLElement;
      item.style.top = `${index * height}px`;
      item.style.height = `${height}px`;
      item.setAttribute("aria-posinset", `${index + 1}`);
      item.setAttribute("aria-setsize", `${entries.length}`);
    }
  }

  /** What a screen reader needs, and what is marked. */
  #describe(element: Element): void {
    const key = element.getAttribute("data-key") ?? "";
    const isOption = this.#isList || key.startsWith("e");
    if (isOption) {
      element.id = `${this.#id}-${key}`;
      element.setAttribute("role", "option");
      element.setAttribute("aria-selected", `${this.#focused?.key === key}`);
    } else {
      element.setAttribute("aria-hidden", "true");
    }
    const entry = key.startsWith("e")
      ? this.#history.entryOf(Number(key.slice(1)))
      : undefined;
    if (!entry) return;
    const isMarked = this.#marked?.number === entry.number;
    if (isMarked) element.classList.add("lv-marked");
    // The list has it as text.
    if (this.#isList) return;
    const said = sentence(entry, this.#history);
    const more = isMarked ? `. ${this.#marked?.text}` : "";
    // Its name, and what a pointer shows that stays on it: labels are cut to their room.
    const title = document.createElementNS(element.namespaceURI, "title");
    title.textContent = said + more;
    element.prepend(title);
  }

  #setActive(): void {
    const key = this.#focused?.key;
    const found = this.#finding.found[this.#hit]?.key;
    for (const [own, { element }] of this.#shown) {
      const isActive = own === key;
      if (element.classList.contains("lv-active") !== isActive) {
        element.classList.toggle("lv-active", isActive);
        element.setAttribute("aria-selected", `${isActive}`);
      }
      if (element.classList.contains("lv-found") !== (found === own)) {
        element.classList.toggle("lv-found", found === own);
      }
    }
    if (key && this.#shown.has(key)) {
      this.#scroller.setAttribute(
        "aria-activedescendant",
        `${this.#id}-${key}`,
      );
    } else this.#scroller.removeAttribute("aria-activedescendant");
  }

  // ------------------------------------------------------------- the user

  #setFocused(entry: Entry | null): void {
    if (entry === this.#focused) {
      if (entry) this.#reveal(entry);
      return;
    }
    this.#focused = entry;
    if (entry) {
      this.#stopFollowing();
      this.#reveal(entry);
    }
    this.#tell();
    this.#draw();
  }

  /** Scrolls so far that an entry is in sight, with a little around it. */
  #reveal(entry: Entry): void {
    const y = this.#yOf(entry), margin = Math.min(80, this.#height / 4);
    const low = y - margin - (this.#isList ? 0 : ROW / 2);
    const high = y + margin + (this.#isList ? this.#itemHeight : ROW / 2);
    let top = this.#scrollTop;
    if (low < top) top = low;
    if (high > top + this.#height) top = high - this.#height;
    if (top !== this.#scrollTop) this.#scrollTo(top);
  }

  #scrollTo(top: number): void {
    const most = Math.max(0, this.#sheetHeight - this.#height);
    this.#sheet.style.height = `${Math.ceil(this.#sheetHeight)}px`;
    top = Math.round(Math.min(most, Math.max(0, top)));
    this.#scrollTop = this.#setTop = top;
    this.#scroller.scrollTop = top;
    this.#keepPlace();
    this.#draw();
  }

  #scrolled(): void {
    const top = this.#scroller.scrollTop;
    if (Math.abs(top - this.#scrollTop) < 2) return;
    this.#scrollTop = top;
    // Only the user goes up from where we were, and away from the end; a view that
    // grows goes up as well, and stays at the end.
    const { scrollHeight, clientHeight } = this.#scroller;
    const isAway = scrollHeight - clientHeight - top > AWAY;
    if (this.#follow && top < this.#setTop - AWAY && isAway) {
      this.#stopFollowing();
      this.#tell();
    }
    if (!this.#follow) this.#keepPlace();
    this.#draw();
  }

  readonly #rootKey = (event: KeyboardEvent): void => {
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      this.search();
    }
  };

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { entries } = this.#history;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        this.#move(event.key === "ArrowDown" ? 1 : -1);
        break;
      case "ArrowRight":
      case "ArrowLeft":
        this.#toggleNear(event.key === "ArrowRight");
        break;
      case "Home":
        this.#stopFollowing();
        this.#setFocused(this.#isList ? entries[0] ?? null : this.#near(-1, 1));
        this.#scrollTo(0);
        break;
      case "End":
        this.#setFocused(null);
        this.follow = true;
        break;
      case "Enter":
        if (this.#focused && this.#focused.number > 0) {
          this.#options.openBytes(this.#focused.number);
        }
        break;
      case "Escape":
        if (!this.#focused) return;
        this.#setFocused(null);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #move(by: number): void {
    const { entries } = this.#history;
    if (this.#focused) {
      const next = this.#near(this.#history.indexOf(this.#focused), by);
      if (next) this.#setFocused(next);
      return;
    }
    // The first step takes what is in sight.
    if (this.#follow) this.#setFocused(this.#near(entries.length, -1));
    else {
      const top = this.#topEntry();
      const index = top ? this.#history.indexOf(top) : entries.length;
      this.#setFocused(this.#near(index - 1, 1) ?? this.#near(index, -1));
    }
  }

  /** The next entry that can have the focus. */
  #near(index: number, by: number): Entry | null {
    const { entries } = this.#history;
    for (let i = index + by; i >= 0 && i < entries.length; i += by) {
      const entry = entries[i];
      if (entry && (this.#isList || isEvent(entry))) return entry;
    }
    return null;
  }

  /** Opens or folds the silence next to the event that has the focus. */
  #toggleNear(open: boolean): void {
    const { knots } = this.#scale;
    if (!this.#focused || this.#isList) return;
    const own = knots.findIndex(({ entry, arrives }) =>
      entry === this.#focused && !arrives
    );
    for (const index of [own, own + 1]) {
      const knot = knots[index];
      if (!knot || knot.silence === 0) continue;
      if (this.#scale.isOpen(knot) === open) continue;
      // The event stays where it is.
      const entry = this.#focused;
      const offset = this.#yOf(entry) - this.#scrollTop;
      this.#scale.toggle(knot.order);
      this.#anchor = { entry, offset };
      this.#draw();
      return;
    }
  }

  #click(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const silence = event.target.closest("[data-silence]");
    if (silence) {
      // It opens downwards: what is above it stays where it is.
      this.#stopFollowing();
      this.#anchor = null;
      this.#scale.toggle(Number(silence.getAttribute("data-silence")));
      this.#tell();
      this.#draw();
      return;
    }
    const key = event.target.closest("[data-key]")?.getAttribute("data-key");
    if (!key) return;
    const number = key.startsWith("e") ? Number(key.slice(1)) : 0;
    const entry = number > 0
      ? this.#history.entryOf(number)
      : this.#history.entries.find((entry) => entry.key === key);
    if (!entry || !this.#isList && number === 0) return;
    this.#setFocused(entry);
    if (number > 0) this.#options.openBytes(number);
  }

  // --------------------------------------------------------------- search

  #find(): void {
    this.#finding = new Search(this.#history, this.#field.value);
    this.#hit = -1;
    this.#isSearching = this.#field.value !== "";
    this.#draw();
  }

  #showCount(): void {
    const { found, isCut, text } = this.#finding;
    const wait = this.#isSearching ? "…" : "";
    const place = this.#hit >= 0 ? `${this.#hit + 1} of ` : "";
    const count = text === ""
      ? ""
      : `${place}${found.length.toLocaleString("en-US")}${wait}`;
    const said = count === "0" ? "none" : count;
    if (this.#count.textContent !== said) this.#count.textContent = said;
    this.#cut.hidden = text === "" || !isCut;
  }

  #step(by: number): void {
    const { found } = this.#finding;
    if (found.length === 0) return;
    if (this.#hit < 0) {
      // From what is in sight on.
      const top = this.#scrollTop;
      const first = found.findIndex((entry) => this.#yOf(entry) >= top);
      this.#hit = by > 0
        ? Math.max(0, first)
        : (first > 0 ? first : found.length) - 1;
    } else this.#hit = (this.#hit + by + found.length) % found.length;
    const entry = found[this.#hit];
    if (!entry) return;
    if (this.#isList || isEvent(entry)) this.#setFocused(entry);
    else {
      this.#stopFollowing();
      this.#tell();
      this.#reveal(entry);
    }
    this.#status.textContent = `${this.#hit + 1} of ${found.length}: ${
      sentence(entry, this.#history)
    }`;
    this.#draw();
  }

  #fieldKey(event: KeyboardEvent): void {
    if (event.key === "Enter") {
      event.preventDefault();
      this.#step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#field.value = "";
      this.#find();
      this.#scroller.focus({ preventScroll: true });
    }
  }
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name: string,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = name;
  return element;
}
