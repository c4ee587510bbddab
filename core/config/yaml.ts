/**
 * YAML 1.2 core schema, as a tree of nodes that know where they stand in the text.
 *
 * js-yaml reads the syntax; the tree is built here from its events, because it must keep
 * positions, report every duplicate key and not only the first, keep integers above 2^53
 * exact, and bound what aliases expand to.
 * @module
 */

import {
  boolCoreTag,
  type Event,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import type { DiagnosticCode } from "./diagnostic.ts";
import type { Source, Span } from "./source.ts";

/** What one scalar can be. Integers that a number cannot hold exactly are bigint. */
export type Scalar = string | number | bigint | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  /** Quotes included. Of an empty value, the key before it. */
  readonly span: Span;
  readonly text: string;
  /** `text` read by the core schema if it is plain, else `text` itself. */
  readonly value: Scalar;
  readonly plain: boolean;
  /** Where `text` stands verbatim in the source; absent if it is quoted with escapes or folded. */
  readonly verbatimAt?: number;
  /** Whether `text` is the result of a variable. */
  readonly expanded?: boolean;
  /** Whether the value could not be made out; the reason is reported already. */
  readonly broken?: boolean;
}

export interface ListNode {
  readonly kind: "list";
  readonly span: Span;
  readonly items: readonly YamlNode[];
}

export interface MapEntry {
  readonly key: Span;
  readonly value: YamlNode;
}

export interface MapNode {
  readonly kind: "map";
  readonly span: Span;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export type YamlNode = ScalarNode | ListNode | MapNode;

/** What would help; a function where it takes a search that only shown mistakes are worth. */
export type Hint = string | (() => string);

/** A mistake at a place in the text. */
export interface Problem {
  readonly span: Span;
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: Hint;
  /** An error unless it says otherwise. */
  readonly severity?: "error" | "warning";
}

/** What {@link parseYaml} found. `root` is absent if the text is not one YAML document. */
export interface YamlDocument {
  readonly root?: YamlNode;
  readonly problems: readonly Problem[];
}

const MAX_DEPTH = 64;
/** Values in a document after its aliases are replaced by what they stand for. */
const MAX_NODES = 200_000;

/** Reads one YAML document. Never throws. */
export function parseYaml(source: Source): YamlDocument {
  let events: Event[];
  try {
    events = parseEvents(source.text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    return { problems: [syntaxProblem(error)] };
  }
  if (events.length === 0) {
    return {
      problems: [{ span: { start: 0, end: 0 }, code: "syntax", message: "The file is empty" }],
    };
  }
  return new Composer(source.text, events).document();
}

/** Reads plain text by the core schema (YAML 1.2, section 10.3.2). */
export function resolvePlain(text: string): Scalar {
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value === NOT_RESOLVED) continue;
    return tag === intCoreTag && !Number.isSafeInteger(value) ? BigInt(text) : value;
  }
  return text;
}

/** What helps against the commonest of js-yaml's complaints. */
const SYNTAX_HINTS: readonly (readonly [RegExp, string])[] = [
  [/^tab characters/, "Indent with spaces"],
  [/^bad indentation/, 'Line the keys of one map up with each other; quote text that holds ": "'],
  [
    /null byte|non-printable/,
    'Write control characters as escapes in double quotes, such as "\\t"',
  ],
  [/^missed comma/, "Separate entries by commas, and quote text that holds [ ] { } or ,"],
  [/maxDepth/, `Nest at most ${MAX_DEPTH} levels`],
  [/multiline key/, 'Put ": " after the key'],
];

function syntaxProblem(error: unknown): Problem {
  const reason = error instanceof YAMLException ? error.reason : String(error);
  const start = error instanceof YAMLException ? error.mark?.position ?? 0 : 0;
  const hint = SYNTAX_HINTS.find(([pattern]) => pattern.test(reason))?.[1];
  const message = `Cannot read YAML: ${reason.replace(/ \(\d+\)$/, "")}`;
  return { span: { start, end: start + 1 }, code: "syntax", message, ...(hint && { hint }) };
}

interface Anchor {
  /** Absent while the node is being composed. */
  node?: YamlNode;
  weight: number;
}

/** Builds the tree from the events of js-yaml. */
class Composer {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #problems: Problem[] = [];
  readonly #anchors = new Map<string, Anchor>();
  #at = 0;
  #count = 0;
  #bombReported = false;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): YamlDocument {
    this.#at++; // the document event
    const root = this.#node({ start: 0, end: 0 });
    this.#at++; // its end
    if (this.#at < this.#events.length) {
      const span = startOf(this.#events[this.#at + 1]) ?? root.span;
      this.#report(
        span,
        "syntax",
        "Expected one YAML document, found more",
        "Remove what follows ---",
      );
    }
    return { root, problems: this.#problems };
  }

  /** Composes the next node; an empty one gets the place `before`. */
  #node(before: Span): YamlNode {
    const event = this.#events[this.#at++];
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd);
    this.#count++;
    const countBefore = this.#count;
    const anchor = this.#openAnchor(event);
    const node = this.#content(event, before);
    if (anchor) {
      anchor.node = node;
      anchor.weight = this.#count - countBefore + 1;
    }
    return node;
  }

  #content(event: Event, before: Span): YamlNode {
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event, before);
      case EVENT_ID.SEQUENCE:
        this.#refuseTag(event);
        return this.#list(event.start);
      case EVENT_ID.MAPPING:
        this.#refuseTag(event);
        return this.#map(event.start);
      default:
        throw new TypeError(`Unexpected YAML event ${event.type}`);
    }
  }

  #openAnchor(event: Event): Anchor | undefined {
    if (!("anchorStart" in event) || event.anchorStart < 0) return undefined;
    const anchor: Anchor = { weight: 0 };
    this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), anchor);
    return anchor;
  }

  #alias(start: number, end: number): YamlNode {
    const name = this.#text.slice(start, end);
    const span = { start: start - 1, end };
    const anchor = this.#anchors.get(name);
    const broken: ScalarNode = {
      kind: "scalar",
      span,
      text: "",
      value: null,
      plain: true,
      broken: true,
    };
    if (anchor?.node === undefined) {
      const message = anchor ? `Alias "${name}" stands for itself` : `Unknown alias "${name}"`;
      const hint = anchor ? undefined : `Mark what it stands for with &${name}, before this line`;
      this.#report(span, "syntax", message, hint);
      return broken;
    }
    if (this.#count + anchor.weight > MAX_NODES) {
      if (!this.#bombReported) {
        this.#bombReported = true;
        this.#report(span, "too_large", `Aliases expand to more than ${MAX_NODES} values`);
      }
      return broken;
    }
    this.#count += anchor.weight;
    return anchor.node;
  }

  #scalar(event: ScalarEvent, before: Span): ScalarNode {
    const text = getScalarValue(this.#text, event);
    const tag = this.#tagOf(event);
    const isText = tag === "!!str" || tag === "!";
    if (tag !== "" && !isText) this.#refuseTag(event);
    const plain = event.style === SCALAR_STYLE.PLAIN && !isText;
    const value = plain ? resolvePlain(text) : text;
    if (event.valueStart < 0) return { kind: "scalar", span: before, text, value, plain };
    const span = this.#scalarSpan(event);
    const verbatim = this.#text.slice(event.valueStart, event.valueEnd) === text;
    return {
      kind: "scalar",
      span,
      text,
      value,
      plain,
      ...(verbatim && { verbatimAt: event.valueStart }),
    };
  }

  /** The range of a scalar: with its quotes, without the blanks around a block. */
  #scalarSpan({ style, valueStart, valueEnd }: ScalarEvent): Span {
    if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) {
      return { start: valueStart - 1, end: valueEnd + 1 };
    }
    const text = this.#text.slice(valueStart, valueEnd);
    const start = valueStart + text.length - text.trimStart().length;
    return { start, end: Math.max(start, valueStart + text.trimEnd().length) };
  }

  #list(start: number): ListNode {
    const items: YamlNode[] = [];
    let span = { start, end: start + 1 };
    while (this.#events[this.#at].type !== EVENT_ID.POP) {
      const item = this.#node(span);
      items.push(item);
      span = item.span;
    }
    this.#at++;
    return { kind: "list", span: { start, end: start + 1 }, items };
  }

  #map(start: number): MapNode {
    const entries = new Map<string, MapEntry>();
    while (this.#events[this.#at].type !== EVENT_ID.POP) {
      const key = this.#node({ start, end: start + 1 });
      const value = this.#node(key.span);
      if (key.kind !== "scalar" || (key.value === null && key.text === "")) {
        this.#report(key.span, "syntax", "A key must be text");
      } else if (key.text === "__proto__") {
        this.#report(key.span, "bad_name", 'Key "__proto__" is not allowed');
      } else if (entries.has(key.text)) {
        this.#report(
          key.span,
          "duplicate_key",
          `Duplicate key "${key.text}"`,
          "Remove one of them",
        );
      } else {
        entries.set(key.text, { key: key.span, value });
      }
    }
    this.#at++;
    return { kind: "map", span: { start, end: start + 1 }, entries };
  }

  #tagOf(event: Event): string {
    if (!("tagStart" in event) || event.tagStart < 0) return "";
    return this.#text.slice(event.tagStart, event.tagEnd);
  }

  #refuseTag(event: Event): void {
    const tag = this.#tagOf(event);
    if (tag === "" || !("tagStart" in event)) return;
    const span = { start: event.tagStart, end: event.tagEnd };
    this.#report(span, "syntax", `Tag "${tag}" is not supported`, "Remove it; only !!str is known");
  }

  #report(span: Span, code: DiagnosticCode, message: string, hint?: string): void {
    this.#problems.push({ span, code, message, ...(hint && { hint }) });
  }
}

function startOf(event: Event | undefined): Span | undefined {
  if (event === undefined) return undefined;
  const start = "valueStart" in event ? event.valueStart : "start" in event ? event.start : -1;
  return start < 0 ? undefined : { start, end: start + 1 };
}
