/**
 * The text of a histogram (`hist_trigger_show()`, kernel/trace/trace_events_hist.c).
 * @module
 */

import type { AddressSymbol, TriggerHost } from "../host.ts";
import type { Action } from "./action.ts";
import type { HistData } from "./data.ts";
import { FLAG, type HistField, nameOf } from "./field.ts";
import { keyInteger, keyStack, keyString } from "./key.ts";
import type { HistEntry } from "./map.ts";
import { sortedEntries } from "./order.ts";

/** The text of a histogram whose trigger prints as `trigger`. */
export function showHist(hist: HistData, trigger: string, host: TriggerHost): string {
  const entries = sortedEntries(hist);
  const totals = hist.values.map((_, index) => totalOf(entries, index));
  return `# event histogram\n#\n# trigger info: ${trigger}#\n\n` +
    entries.map((entry) => showEntry(hist, entry, totals, host)).join("") +
    showSnapshot(hist, host) +
    `\nTotals:\n    Hits: ${hist.map.hits}\n    Entries: ${entries.length}\n` +
    `    Dropped: ${hist.map.drops}\n`;
}

interface Total {
  readonly sum: bigint;
  readonly max: bigint;
}

function totalOf(entries: readonly HistEntry[], index: number): Total {
  const sums = entries.map((entry) => entry.sums[index] ?? 0n);
  return {
    sum: sums.reduce((total, value) => BigInt.asUintN(64, total + value), 0n),
    max: sums.reduce((max, value) => value > max ? value : max, 0n),
  };
}

function showEntry(
  hist: HistData,
  entry: HistEntry,
  totals: readonly Total[],
  host: TriggerHost,
): string {
  const hits = padded(entry.sums[0] ?? 0n);
  let text = showKey(hist, entry.key, entry.comm, host);
  if (!hist.attributes.hideHitcount) text += ` hitcount: ${hits}`;
  for (const [index, field] of hist.values.entries()) {
    if (index === 0 || (field.flags & (FLAG.VAR | FLAG.EXPR)) !== 0) continue;
    text += `  ${nameOf(field)}${showValue(field, entry.sums[index] ?? 0n, totals[index])}`;
  }
  return `${text}${hist.actions.map((action) => showAction(hist, entry, action)).join("")}\n`;
}

function showValue({ flags }: HistField, value: bigint, total: Total): string {
  if ((flags & FLAG.PERCENT) !== 0) {
    const share = shareOf(value, total.sum);
    if (share === undefined) return " (%):[ERROR]";
    const whole = String(share / 100n).padStart(3);
    return ` (%): ${whole}.${String(share % 100n).padStart(2, "0")}`;
  }
  if ((flags & FLAG.GRAPH) !== 0) return `: ${bar(value, total.max)}`;
  return `: ${(flags & FLAG.HEX) !== 0 ? value.toString(16).padStart(10) : padded(value)}`;
}

const U64_MAX = (1n << 64n) - 1n;

/** Hundredths of a percent, nothing where there is no whole (`__get_percentage()`). */
function shareOf(value: bigint, total: bigint): bigint | undefined {
  if (total !== 0n && value < U64_MAX / 10000n) return BigInt.asUintN(32, value * 10000n / total);
  if (total >= 10000n) return BigInt.asUintN(32, value / (total / 10000n));
  return value === 0n ? 0n : undefined;
}

const BAR_WIDTH = 20;

function bar(value: bigint, max: bigint): string {
  const share = shareOf(value, max);
  if (share === undefined) return "[ERROR]".padStart(BAR_WIDTH);
  const length = Math.min(Number(share * BigInt(BAR_WIDTH) / 10000n), BAR_WIDTH);
  return "#".repeat(length).padEnd(BAR_WIDTH);
}

/** The key in braces. */
function showKey(hist: HistData, key: Uint8Array, comm: string, host: TriggerHost): string {
  const parts = hist.keys.map((field) => showKeyField(field, key, comm, host));
  const hasStack = hist.keys.some((field) => isStack(field));
  return `{ ${parts.join(", ")}${hasStack ? "" : " "}}`;
}

function isStack({ flags }: HistField): boolean {
  return (flags & FLAG.STACKTRACE) !== 0 && (flags & PRINTED_BEFORE_STACK) === 0;
}

/** Flags that decide how a key is printed before it is seen to be a stack. */
const PRINTED_BEFORE_STACK = FLAG.HEX | FLAG.SYM | FLAG.SYM_OFFSET | FLAG.EXECNAME | FLAG.SYSCALL;

function showKeyField(
  field: HistField,
  key: Uint8Array,
  comm: string,
  host: TriggerHost,
): string {
  const { flags, buckets } = field;
  const name = nameOf(field);
  if (isStack(field)) return showStack(field, key, host);
  const has = (flag: number) => (flags & flag) !== 0;
  const value = keyInteger(key, field);
  if (has(FLAG.HEX)) return `${name}: ${value.toString(16)}`;
  if (has(FLAG.SYM)) {
    return `${name}: [${value.toString(16)}] ${symbolName(value, host).padEnd(45)}`;
  }
  if (has(FLAG.SYM_OFFSET)) {
    return `${name}: [${value.toString(16)}] ${symbolOffset(value, host).padEnd(55)}`;
  }
  if (has(FLAG.EXECNAME)) return `${name}: ${comm.padEnd(16)}[${padded(value)}]`;
  if (has(FLAG.SYSCALL)) {
    // The kernel looks at the lower 32 bits.
    const syscall = host.syscallName(Number(BigInt.asIntN(32, value))) ?? "unknown_syscall";
    return `${name}: ${syscall.padEnd(30)}[${String(value).padStart(3)}]`;
  }
  if (has(FLAG.LOG2)) return `${name}: ~ 2^${String(value).padEnd(2)}`;
  if (has(FLAG.BUCKET)) {
    return `${name}: ~ ${value}-${BigInt.asUintN(64, value + buckets - 1n)}`;
  }
  if (has(FLAG.STRING)) return `${name}: ${keyString(key, field).padEnd(50)}`;
  return `${name}: ${padded(value)}`;
}

function showStack(field: HistField, key: Uint8Array, host: TriggerHost): string {
  const title = field.hist.version === "6.1"
    ? "stacktrace:\n"
    : field.field === undefined
    ? "common_stacktrace:\n"
    : `${field.field.name}.stacktrace`;
  const lines = keyStack(key, field).map((address) => {
    return `${" ".repeat(9)}${symbolOffset(address, host)}\n`;
  });
  return title + lines.join("");
}

function symbolName(address: bigint, host: TriggerHost): string {
  const symbol = host.findSymbol(address);
  return symbol === undefined ? `0x${address.toString(16)}` : symbol.name + moduleOf(symbol);
}

function symbolOffset(address: bigint, host: TriggerHost): string {
  const symbol = host.findSymbol(address);
  if (symbol === undefined) return `0x${address.toString(16)}`;
  const { name, offset, size } = symbol;
  return `${name}+0x${offset.toString(16)}/0x${size.toString(16)}${moduleOf(symbol)}`;
}

function moduleOf({ module }: AddressSymbol): string {
  return module === undefined ? "" : ` [${module}]`;
}

/** The maximum or last value that an action keeps, and what it saved (`track_data_print()`). */
function showAction(hist: HistData, entry: HistEntry, action: Action): string {
  const { watch } = action.made ?? {};
  if (watch === undefined || action.kind === "snapshot") return "";
  const title = action.handler === "onmax" ? "max" : "changed";
  const saved = hist.savedVariables.map(({ variable, value }) => {
    const name = variable.variable?.name;
    const text = variableOf(entry, variable);
    return (value.flags & FLAG.STRING) === 0
      ? `  ${name}: ${padded(integerOf(text))}`
      : `  ${name}: ${String(text ?? "").padEnd(32)}`;
  });
  return `\n\t${title}: ${padded(integerOf(variableOf(entry, watch.last)))}${saved.join("")}`;
}

function variableOf(entry: HistEntry, { variable }: HistField) {
  return variable === undefined ? undefined : entry.variables.get(variable.index);
}

function integerOf(value: unknown): bigint {
  return typeof value === "bigint" ? value : 0n;
}

/** What `snapshot()` was last taken for (`track_data_snapshot_print()`). */
function showSnapshot(hist: HistData, host: TriggerHost): string {
  const { snapshot } = host.state;
  const action = hist.actions.find(({ kind }) => kind === "snapshot");
  if (snapshot?.taken === undefined || action === undefined) return "";
  const { value, key, comm } = snapshot.taken;
  return "\nSnapshot taken (see tracing/snapshot).  Details:\n" +
    `\ttriggering value { ${action.handler}(${action.watched}) }: ${padded(value)}` +
    `\ttriggered by event with key: ${showKey(hist, key, comm, host)}\n`;
}

function padded(value: bigint): string {
  return String(value).padStart(10);
}
