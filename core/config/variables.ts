/**
 * Variables in scalars: `${env:NAME}`, `${env:NAME:-default}`, `${var:name}`, and `$$` for `$`.
 *
 * They stand for text inside a scalar and never become YAML structure. A plain scalar is read
 * again after expansion, so that `${var:count}` can be a number. A `$` that starts neither form
 * stays as it is: fetch arguments (`$arg1`) are full of them.
 * @module
 */

import { didYouMean } from "./text.ts";
import { isExtensionKey } from "./tree.ts";
import {
  type MapEntry,
  type MapNode,
  type Problem,
  resolvePlain,
  type ScalarNode,
  type YamlNode,
} from "./yaml.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A tree in which every scalar is expanded; those that could not be are marked broken. */
export interface Expansion {
  readonly root: YamlNode;
  readonly problems: readonly Problem[];
}

/** Characters of one scalar after expansion. */
const MAX_LENGTH = 64 * 1024;
/** Characters of all scalars that variables stand in, after expansion. */
const MAX_TOTAL = 4 * 1024 * 1024;
/** Variables and defaults inside each other. */
const MAX_DEPTH = 32;

/** Expands all scalars of `root`, with the variables of its `vars` map and of `env`. */
export function expandVariables(root: YamlNode, env: Environment): Expansion {
  const expander = new Expander(variablesOf(root), env);
  return { root: expander.node(root), problems: expander.problems };
}

function variablesOf(root: YamlNode): ReadonlyMap<string, ScalarNode> {
  const variables = new Map<string, ScalarNode>();
  const vars = root.kind === "map" ? root.entries.get("vars")?.value : undefined;
  if (vars?.kind !== "map") return variables;
  for (const [name, { value }] of vars.entries) {
    if (value.kind === "scalar") variables.set(name, value);
  }
  return variables;
}

/** Text that cannot be expanded, for a reason that is reported already. */
class BrokenText extends Error {}

/** A variable that cannot be expanded. `at` and `length` are in the text that holds it. */
class VariableError extends BrokenText {
  readonly hint: string | undefined;
  at = 0;
  length = 0;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

class Expander {
  readonly problems: Problem[] = [];
  readonly #variables: ReadonlyMap<string, ScalarNode>;
  readonly #env: Environment;
  /** What each scalar became: one that several aliases stand for is expanded, and reported, once. */
  readonly #scalars = new Map<ScalarNode, ScalarNode>();
  /** Variables on the way to the one that is expanded now, to see cycles. */
  readonly #open: string[] = [];
  #depth = 0;
  #total = 0;

  constructor(variables: ReadonlyMap<string, ScalarNode>, env: Environment) {
    this.#variables = variables;
    this.#env = env;
    for (const name of variables.keys()) this.#define(name);
  }

  node(node: YamlNode): YamlNode {
    switch (node.kind) {
      case "scalar":
        return this.#scalar(node);
      case "list":
        return { ...node, items: node.items.map((item) => this.node(item)) };
      case "map":
        return this.#map(node);
    }
  }

  #map(node: MapNode): MapNode {
    const entries = new Map<string, MapEntry>();
    for (const [key, entry] of node.entries) {
      entries.set(key, isExtensionKey(key) ? entry : { ...entry, value: this.node(entry.value) });
    }
    return { ...node, entries };
  }

  #scalar(node: ScalarNode): ScalarNode {
    if (!node.text.includes("$")) return node;
    const known = this.#scalars.get(node);
    if (known) return known;
    const expanded = this.#expandScalar(node);
    this.#scalars.set(node, expanded);
    return expanded;
  }

  #expandScalar(node: ScalarNode): ScalarNode {
    try {
      const text = this.#expand(node.text);
      if (text === node.text) return node;
      const value = node.plain && text !== "" ? resolvePlain(text) : text;
      return { kind: "scalar", span: node.span, text, value, plain: node.plain, expanded: true };
    } catch (error) {
      if (!(error instanceof BrokenText)) throw error;
      if (error instanceof VariableError) this.#report(error, node);
      return { ...node, broken: true };
    }
  }

  #report({ at, length, message, hint }: VariableError, { span, verbatimAt }: ScalarNode): void {
    const start = verbatimAt === undefined ? undefined : verbatimAt + at;
    this.problems.push({
      span: start === undefined ? span : { start, end: start + length },
      code: "variable",
      message,
      ...(hint && { hint }),
    });
  }

  /** @throws {BrokenText} for the first variable in `text` that cannot be expanded. */
  #expand(text: string): string {
    if (++this.#depth > MAX_DEPTH) {
      throw new VariableError(`Variables are nested deeper than ${MAX_DEPTH} levels`);
    }
    try {
      return this.#replace(text);
    } finally {
      this.#depth--;
    }
  }

  #replace(text: string): string {
    let result = "";
    let at = 0;
    for (let dollar = text.indexOf("$"); dollar >= 0; dollar = text.indexOf("$", at)) {
      result += text.slice(at, dollar);
      if (text[dollar + 1] === "{") {
        const end = closingBrace(text, dollar + 2);
        result += this.#located(dollar, end, text);
        at = end + 1;
      } else {
        result += "$";
        at = dollar + (text[dollar + 1] === "$" ? 2 : 1);
      }
      if (result.length > MAX_LENGTH) break;
    }
    return this.#limited(result + text.slice(at));
  }

  /** Stops variables that double each other, and files that repeat a long one. */
  #limited(text: string): string {
    this.#total += text.length;
    if (text.length > MAX_LENGTH) {
      throw new VariableError(`Text is longer than ${MAX_LENGTH} characters`);
    }
    if (this.#total > MAX_TOTAL) {
      throw new VariableError(`Variables make more than ${MAX_TOTAL} characters of text`);
    }
    return text;
  }

  /** The value of the variable at `text[start…end]`; an error gets its place. */
  #located(start: number, end: number, text: string): string {
    try {
      if (end >= text.length) {
        throw new VariableError('Missing "}" after "${"', 'Write $$ for a "$"');
      }
      return this.#reference(text.slice(start + 2, end));
    } catch (error) {
      if (error instanceof VariableError) {
        error.at = start;
        error.length = Math.min(end + 1, text.length) - start;
      }
      throw error;
    }
  }

  /** The value of what stands between `${` and `}`. */
  #reference(reference: string): string {
    const match = /^(env|var):([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/.exec(reference);
    if (match === null) {
      throw new VariableError(
        `Cannot read variable "\${${reference}}"`,
        'Write ${env:NAME}, ${env:NAME:-default} or ${var:name}; $$ stands for a "$"',
      );
    }
    const [, kind, name, fallback] = match;
    if (kind === "env") return this.#environment(name, fallback);
    if (fallback !== undefined) {
      throw new VariableError(`Variable "${name}" cannot have a default here`, "Set it under vars");
    }
    return this.#variable(name);
  }

  #environment(name: string, fallback: string | undefined): string {
    const value = Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
    if (fallback !== undefined) return value ? value : this.#expand(fallback);
    if (value !== undefined) return value;
    throw new VariableError(
      `Environment variable "${name}" is not set`,
      `Set it, or give a default: \${env:${name}:-value}`,
    );
  }

  #variable(name: string): string {
    if (!this.#variables.has(name)) {
      throw new VariableError(
        `Variable "${name}" is not defined`,
        didYouMean(name, this.#variables.keys()) ?? `Define it: vars: { ${name}: value }`,
      );
    }
    const { text, broken } = this.#define(name);
    if (broken) throw new BrokenText();
    return text;
  }

  /** Expands variable `name` of the file, and reports at its definition if that fails. */
  #define(name: string): ScalarNode {
    if (this.#open.includes(name)) {
      const cycle = [...this.#open.slice(this.#open.indexOf(name)), name].join(" -> ");
      throw new VariableError(`Variable "${name}" stands for itself: ${cycle}`);
    }
    this.#open.push(name);
    try {
      return this.#scalar(this.#variables.get(name)!);
    } finally {
      this.#open.pop();
    }
  }
}

/** Where the brace that was opened before `from` is closed; the length of `text` if nowhere. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text.startsWith("${", i)) depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return text.length;
}
