import type * as z from "zod";
import { checkConfig } from "./check.ts";
import { checkDefinitions } from "./check/definitions.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnoseFinding, diagnoseProblem, type Finding } from "./finding.ts";
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
  /** All mistakes, in the order of the text; at most 100. */
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
    return result(source, undefined, undefined, [tooLarge(options.file)]);
  }
  const document = parseYaml(source);
  if (document.root === undefined) {
    return result(source, undefined, undefined, diagnoseProblems(document.problems, source));
  }
  const { root, problems } = expandVariables(document.root, options.env ?? {});
  const { value, data, findings } = validateTree(root);
  const all = [...findings, ...checkConfig(value)].filter(({ path, onKey }) => {
    const { node } = locate(root, path);
    // What could not be expanded is reported already, whatever else it seems to lack.
    return onKey || node.kind !== "scalar" || !node.broken;
  });
  if (data && !all.some(isError)) all.push(...checkDefinitions(data));
  return result(source, root, data, [
    ...diagnoseProblems([...document.problems, ...problems], source),
    ...all.map((finding) => diagnoseFinding(finding, source, root)),
  ]);
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

function diagnoseProblems(problems: readonly Problem[], source: Source): Diagnostic[] {
  return problems.map((problem) => diagnoseProblem(problem, source));
}

function result(
  source: Source,
  root: YamlNode | undefined,
  config: Config | undefined,
  diagnostics: Diagnostic[],
): ParsedConfig {
  // A tree without entries, for what asks after a file that is no YAML.
  const tree: YamlNode = root ?? { kind: "map", span: { start: 0, end: 0 }, entries: new Map() };
  const isRight = !diagnostics.some(isError);
  return {
    ...(isRight && config && { config }),
    diagnostics: sorted(diagnostics),
    positionOf: (path) => source.positionAt(spanOf(tree, path).start),
    diagnose: (finding) => diagnoseFinding(finding, source, tree),
  };
}

/** Diagnostics in the order of the text, and a last one for those beyond the limit. */
function sorted(diagnostics: Diagnostic[]): Diagnostic[] {
  diagnostics.sort((a, b) => a.line - b.line || a.column - b.column);
  const more = diagnostics.length - MAX_DIAGNOSTICS;
  if (more <= 0) return diagnostics;
  const shown = diagnostics.slice(0, MAX_DIAGNOSTICS);
  const { severity, file } = diagnostics.find(isError) ?? shown[0];
  const message = `${more} more mistakes are not shown`;
  return [...shown, { severity, file, line: 0, column: 0, message, code: "too_large" }];
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
