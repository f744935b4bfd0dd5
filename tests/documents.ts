/**
 * What the documentation test sees in a README: its code blocks, its inline
 * code, its links and headings, each with the place to look for it.
 *
 * @module
 */
import { dirname, join } from "@std/path/posix";
// Markdown has too many corners to take it apart by hand.
import { lexer, type Token } from "npm:marked@18.2.1";
import { ROOT } from "./assertions.ts";

/** A piece of a README. */
export interface Part {
  /** Where it is, `tcp/README.md:12`. */
  place: string;
  text: string;
}

/** A block between fences. */
export interface CodeBlock extends Part {
  /** The first word behind the opening fence; "" if there is none. */
  language: string;
  /** The other words behind it. */
  options: string[];
  /** Number of the heading that it stands under; 0 before the first. */
  section: number;
  /** The inline code in the paragraph before it. */
  introduction: string[];
}

/** A row of a table, and what heads its columns, as plain text. */
export interface Row {
  place: string;
  columns: string[];
  cells: string[];
}

/** One Markdown file of the project, taken apart. */
export class Document {
  /** From the project's folder, with slashes. */
  readonly path: string;
  readonly blocks: CodeBlock[] = [];
  readonly inlineCode: Part[] = [];
  /** Where each link or picture leads to. */
  readonly links: Part[] = [];
  readonly rows: Row[] = [];
  /** Paragraphs, lists and tables, as they are written. */
  readonly prose: Part[] = [];
  /** The fragments that GitHub gives to the headings. */
  readonly anchors: string[] = [];

  #line = 1;
  #section = 0;
  #introduction: string[] = [];

  constructor(path: string, markdown: string) {
    this.path = path;
    for (const token of lexer(markdown)) {
      this.#readBlock(token);
      this.#line += token.raw.split("\n").length - 1;
    }
  }

  /** The file that a path in this document means, from the project's folder. */
  resolve(path: string): string {
    return join(dirname(this.path), path);
  }

  #readBlock(token: Token): void {
    if (token.type === "code") {
      const [language = "", ...options] = (token.lang ?? "").split(" ");
      this.blocks.push({
        place: this.#place(),
        text: token.text,
        language,
        options,
        section: this.#section,
        introduction: this.#introduction,
      });
      return;
    }
    if (token.type === "space" || token.type === "html") return;
    this.#introduction = [];
    this.prose.push({ place: this.#place(), text: token.raw });
    this.#readInline(token, token.raw, 0);
    if (token.type === "heading") {
      this.#section++;
      this.anchors.push(
        token.text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
          .replaceAll(" ", "-"),
      );
    }
    if (token.type === "table") {
      const plain = ({ text }: { text: string }) => text.replaceAll("`", "");
      token.rows.forEach((cells: { text: string }[], index: number) => {
        this.rows.push({
          place: this.#place(index + 2),
          columns: token.header.map(plain),
          cells: cells.map(plain),
        });
      });
    }
  }

  /** Goes through what a token holds; `from` is where to look for it in `raw`. */
  #readInline(token: Token, raw: string, from: number): void {
    const at = Math.max(raw.indexOf(token.raw, from), from);
    const place = this.#place(raw.slice(0, at).split("\n").length - 1);
    if (token.type === "codespan") {
      this.inlineCode.push({ place, text: token.text });
      this.#introduction.push(token.text);
    }
    if (token.type === "link" || token.type === "image") {
      this.links.push({ place, text: token.href });
    }
    const cells = token.type === "table"
      ? [token.header, ...token.rows].flat()
      : [];
    const inner: Token[] = [
      ...("tokens" in token ? token.tokens ?? [] : []),
      ...("items" in token ? token.items ?? [] : []),
      ...cells.flatMap(({ tokens }) => tokens),
    ];
    let next = at;
    for (const part of inner) {
      this.#readInline(part, raw, next);
      const found = raw.indexOf(part.raw, next);
      if (found >= 0) next = found + part.raw.length;
    }
  }

  #place(linesBelow = 0): string {
    return `${this.path}:${this.#line + linesBelow}`;
  }
}

/** All Markdown files of the project, but those of exercises: they have tests of their own. */
export async function readDocuments(): Promise<Document[]> {
  const documents: Document[] = [];
  for (const path of await filesBelow("")) {
    if (!path.endsWith(".md") || /(^|\/)exercises\//.test(path)) continue;
    const markdown = await Deno.readTextFile(join(ROOT, path));
    documents.push(new Document(path, markdown.replaceAll("\r\n", "\n")));
  }
  return documents;
}

/** The project's files, from its folder; not what is hidden or installed. */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    if (name.startsWith(".") || name === "node_modules") continue;
    const path = join(folder, name);
    if (isDirectory) found.push(...await filesBelow(path));
    else found.push(path);
  }
  return found.sort();
}
