/**
 * The table of what was measured, in Markdown that also reads well in a
 * terminal, and the same as JSON.
 *
 * @module
 */
import {
  type EntryResult,
  median,
  meets,
  type Metric,
  ratios,
  type Result,
} from "./contest.ts";

const HEAD = ["what", "median", "min–max", "ratio", "min–max", "target"];

/** The table, a line each; no line is longer than 100 columns. */
export function table(results: Result[]): string[] {
  const rows = results.flatMap((result, index) => {
    const rows = rowsOf(result);
    const heading = headingOf(result);
    const before = results[index - 1];
    return before && headingOf(before) === heading
      ? rows
      : [[heading, "", "", "", "", ""], ...rows];
  });
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (row: string[]) =>
    `| ${
      row.map((cell, column) =>
        column === 0
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(HEAD), line(rule), ...rows.map(line)];
}

function headingOf({ contest: { title, metrics } }: Result): string {
  return `${title} (${metrics[0]?.unit})`;
}

/** A row for each metric of ours, a row for each peer. */
function rowsOf({ contest, entries }: Result): string[][] {
  const [ours, ...peers] = entries;
  if (!ours) return [];
  const [first] = contest.metrics;
  const rows: string[][] = [];
  contest.metrics.forEach((metric, index) => {
    const values = ours.values[index] ?? [];
    const name = index === 0
      ? `  ours: ${ours.entry.name}`
      : `  ${metric.unit}`;
    const target = verdict(median(values), metric.target, metric.better);
    rows.push([name, figure(median(values)), span(values), "", "", target]);
  });
  for (const peer of peers) {
    const values = peer.values[0] ?? [];
    const each = ratios(ours, peer);
    rows.push([
      `  ${peer.entry.name}`,
      figure(median(values)),
      span(values),
      median(each).toFixed(2),
      span(each, (ratio) => ratio.toFixed(2)),
      verdict(
        median(each),
        "target" in peer.entry ? peer.entry.target : undefined,
        first?.better ?? "more",
      ),
    ]);
  }
  return rows;
}

function span(values: number[], format = figure): string {
  return `${format(Math.min(...values))}–${format(Math.max(...values))}`;
}

/** Three digits that count, or all in front of the point. */
function figure(value: number): string {
  return value.toLocaleString("en", {
    maximumFractionDigits: value < 100 ? 1 : 0,
    useGrouping: true,
  });
}

function verdict(
  value: number,
  target: number | undefined,
  better: Metric["better"],
): string {
  if (target === undefined) return "";
  const sign = better === "more" ? "≥" : "≤";
  return `${sign} ${target} ${meets(value, target, better) ? "yes" : "NO"}`;
}

/** All numbers, for programs. */
export function json(results: Result[]): unknown[] {
  const numbers = (metric: number, { entry, values }: EntryResult) => ({
    name: entry.name,
    values: values[metric],
    median: median(values[metric] ?? []),
  });
  return results.map(({ contest, entries: [ours, ...peers] }) => ({
    id: contest.id,
    title: contest.title,
    metrics: contest.metrics.map((metric, index) => ({
      ...metric,
      ...(ours ? { ours: numbers(index, ours) } : {}),
    })),
    peers: peers.map((peer) => ({
      ...numbers(0, peer),
      ratios: ours ? ratios(ours, peer) : [],
      ratio: ours ? median(ratios(ours, peer)) : null,
      target: "target" in peer.entry ? peer.entry.target : null,
    })),
  }));
}
