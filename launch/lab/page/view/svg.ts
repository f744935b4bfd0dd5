/**
 * Elements as plain data, which become elements of a page or the text of a file.
 *
 * @module
 */
/// <reference lib="dom" />

/** An element with its attributes and what is in it; a text is never markup. */
export interface Shape {
  tag: string;
  attributes: Record<string, string | number>;
  children: (Shape | string)[];
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes a shape. */
export function shape(
  tag: string,
  attributes: Shape["attributes"],
  ...children: Shape["children"]
): Shape {
  return { tag, attributes, children };
}

/** A shape as an element of the page. */
export function toElement({ tag, attributes, children }: Shape): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, `${value}`);
  }
  for (const child of children) {
    element.append(typeof child === "string" ? child : toElement(child));
  }
  return element;
}

/** A shape as the text of a file. */
export function toText({ tag, attributes, children }: Shape): string {
  const head = Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escape(`${value}`)}"`).join("");
  const inside = children
    .map((child) => typeof child === "string" ? escape(child) : toText(child))
    .join("");
  return inside === ""
    ? `<${tag}${head}/>`
    : `<${tag}${head}>${inside}</${tag}>`;
}

/** A text that XML takes for nothing but text. */
export function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed()
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
