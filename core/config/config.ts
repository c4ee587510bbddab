import type * as z from "zod";
import { checkConfig } from "./check.ts";
import { checkDefinitions } from "./check/definitions.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose, type Finding, placeFinding } from "./finding.ts";
import { MAX_CONFIG_BYTES, tooLarge } from "./limit.ts";
import type { configSchema } from "./schema/config.ts";
import { PROBE_KINDS, type ProbeKind } from "./schema/probe.ts";
import { type Position, Source } from "./source.ts";
import { locate, type Path, type Plain, spanOf, toPlain } from "./tree.ts";
import { validate, type Validation } from "./validate.ts";
import { type Environment, expandVariables } from "./variables.ts";
import { parseYaml, type Problem, type YamlNode } from "./yaml.ts";

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/**
 * A config that was found right. Keys are those of the file; durations are nanoseconds (bigint),
 * sizes bytes; what the file leaves out has its default.
 */
export type Config = DeepReadonly<z.output<typeof configSchema>>;

/** One probe of a config. It has exactly one of the keys that are {@link ProbeKind}s. */
export type ProbeConfig = Config["probes"][string];

/** What {@link parseConfig} is told beside the text. */
export interface ParseOptions {
  /** Name of the file, for diagnostics. */
  readonly file: string;
  /** What `${env:NAME}` stands for; nothing is taken from the process itself. */
  readonly env?: Environment;
}

/** What {@link parseConfig} made of a text. */
export interface ParsedConfig {
  /** The config; absent if there is an error among the diagnostics. */
  readonly config?: Config;
  /** All mistakes, in the order of the text; after 100, how many more there are. */
  readonly diagnostics: readonly Diagnostic[];
  /** Where the value at `path` stands, or the nearest that does; of a map, its key. */
  positionOf(path: Path): Position;
  /** A diagnostic for a mistake that shows only later, such as one that the kernel finds. */
  diagnose(finding: Finding): Diagnostic;
}

const MAX_DIAGNOSTICS = 100;

/** Reads a config and checks all of it. Never throws: what is wrong is in the diagnostics. */
export function parseConfig(text: string, options: ParseOptions): ParsedConfig {
  const source = new Source(options.file, text.replace(/^\ufeff/, ""));
  if (source.text.length > MAX_CONFIG_BYTES) {
    return result(source, NO_TREE, undefined, [tooLarge(options.file)]);
  }
  const document = parseYaml(source);
  if (document.root === undefined) {
    return result(source, NO_TREE, undefined, diagnoseAll(document.problems, source));
  }
  const { root, problems } = expandVariables(document.root, options.env ?? {});
  const { value, data, findings } = validateTree(root);
  const all = [...findings, ...checkConfig(value)].filter(({ path, onKey }) => {
    const { node } = locate(root, path);
    // What could not be expanded is reported already, whatever else it seems to lack.
    return onKey || node.kind !== "scalar" || !node.broken;
  });
  if (data && !all.some(isError)) all.push(...checkDefinitions(data));
  const placed = all.map((finding) => placeFinding(finding, root));
  const found = [...document.problems, ...problems, ...placed];
  const config = found.some(isError) ? undefined : data;
  return result(source, root, config, diagnoseAll(found, source));
}

/** What stands for a file that is no YAML. */
const NO_TREE: YamlNode = { kind: "map", span: { start: 0, end: 0 }, entries: new Map() };

function result(
  source: Source,
  root: YamlNode,
  config: Config | undefined,
  diagnostics: Diagnostic[],
): ParsedConfig {
  return {
    ...(config && { config }),
    diagnostics,
    positionOf: (path) => source.positionAt(spanOf(root, path).start),
    diagnose: (finding) => diagnose(placeFinding(finding, root), source),
  };
}

/** Problems in the order of the text, and a last word on those beyond the limit. */
function diagnoseAll(problems: readonly Problem[], source: Source): Diagnostic[] {
  const inOrder = problems.toSorted((a, b) => a.span.start - b.span.start);
  const diagnostics = inOrder.slice(0, MAX_DIAGNOSTICS).map((problem) => diagnose(problem, source));
  const rest = inOrder.slice(MAX_DIAGNOSTICS);
  if (rest.length > 0) {
    diagnostics.push({
      severity: rest.some(isError) ? "error" : "warning",
      file: source.file,
      line: 0,
      column: 0,
      message: `${rest.length} more mistakes are not shown`,
      code: "too_large",
    });
  }
  return diagnostics;
}

/** Checks the shape of `root`. Variables that look like numbers stay text where text is wanted. */
function validateTree(root: YamlNode): Validation & { readonly value: Plain } {
  const value = toPlain(root);
  const validation = validate(value);
  const texts = new Set<YamlNode>();
  for (const { path, code } of validation.findings) {
    const { node, exact } = locate(root, path);
    if (exact && code === "wrong_type" && node.kind === "scalar" && node.expanded) texts.add(node);
  }
  if (texts.size === 0) return { ...validation, value };
  const withTexts = toPlain(root, texts);
  return { ...validate(withTexts), value: withTexts };
}

function isError({ severity }: { readonly severity?: "error" | "warning" }): boolean {
  return severity !== "warning";
}

/** The kind of a probe: which of the kinds' keys it has. */
export function probeKind(probe: ProbeConfig): ProbeKind {
  const kind = PROBE_KINDS.find((kind) => probe[kind] !== undefined);
  if (kind === undefined) throw new TypeError("A probe of a valid config has a kind");
  return kind;
}
