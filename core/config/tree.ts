/**
 * Paths into a YAML tree: what stands at one, where it stands, and the tree as plain values.
 * @module
 */

import type { Span } from "./source.ts";
import type { MapEntry, Scalar, YamlNode } from "./yaml.ts";

/** Keys and list indexes from the root, such as `["probes", "file_open", "filter"]`. */
export type Path = readonly PropertyKey[];

/** A YAML tree as plain values. Maps have no prototype, so that every key is one of theirs. */
export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

/** What stands at a path. */
export interface Located {
  readonly node: YamlNode;
  /** The key that leads to it; absent for the root and for items of a list. */
  readonly key?: Span;
}

/** Whether a key is a note of the writer's own, which nobody reads. */
export function isExtensionKey(key: string): boolean {
  return key.startsWith("x-");
}

/** What stands at `path`, or at the nearest place on the way to it that exists. */
export function locate(root: YamlNode, path: Path): Located & { readonly exact: boolean } {
  let at: Located = { node: root };
  for (const step of path) {
    const next = child(at.node, step);
    if (next === undefined) return { ...at, exact: false };
    at = next;
  }
  return { ...at, exact: true };
}

function child(node: YamlNode, step: PropertyKey): Located | undefined {
  if (node.kind === "list" && typeof step === "number") {
    return node.items[step] && { node: node.items[step] };
  }
  if (node.kind !== "map") return undefined;
  const entry: MapEntry | undefined = node.entries.get(String(step));
  return entry && { node: entry.value, key: entry.key };
}

/** The range to show for `path`: a scalar itself, the key of a map or list. */
export function spanOf(root: YamlNode, path: Path): Span {
  const { node, key } = locate(root, path);
  return node.kind === "scalar" ? node.span : key ?? node.span;
}

/** The range of the last key of `path`. */
export function keySpanOf(root: YamlNode, path: Path): Span {
  const { node, key } = locate(root, path);
  return key ?? node.span;
}

/** The tree as plain values, without extension keys (`x-…`). Scalars in `texts` stay text. */
export function toPlain(node: YamlNode, texts?: ReadonlySet<YamlNode>): Plain {
  switch (node.kind) {
    case "scalar":
      return texts?.has(node) ? node.text : node.value;
    case "list":
      return node.items.map((item) => toPlain(item, texts));
    case "map": {
      const map: Record<string, Plain> = Object.create(null);
      for (const [key, { value }] of node.entries) {
        if (!isExtensionKey(key)) map[key] = toPlain(value, texts);
      }
      return map;
    }
  }
}

/** What stands at `path` of `value`; undefined if nothing does. */
export function valueAt(value: Plain, path: Path): Plain | undefined {
  let at: Plain | undefined = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as { readonly [key: PropertyKey]: Plain })[step];
  }
  return at;
}

/** The entries of a map; none of anything else. */
export function entriesOf(value: Plain | undefined): readonly (readonly [string, Plain])[] {
  return isPlainMap(value) ? Object.entries(value) : [];
}

/** The items of a list; none of anything else. */
export function itemsOf(value: Plain | undefined): readonly Plain[] {
  return Array.isArray(value) ? value : [];
}

/** The value of `key` if `value` is a map that has it. */
export function get(value: Plain | undefined, key: string): Plain | undefined {
  return isPlainMap(value) ? value[key] : undefined;
}

function isPlainMap(value: Plain | undefined): value is { readonly [key: string]: Plain } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
