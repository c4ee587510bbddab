import type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
import type { Source, Span } from "./source.ts";
import { keySpanOf, locate, type Path, spanOf } from "./tree.ts";
import type { Hint, Problem, YamlNode } from "./yaml.ts";

/** A mistake at a path of the config. */
export interface Finding {
  readonly path: Path;
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: Hint;
  /** An error unless it says otherwise. */
  readonly severity?: "error" | "warning";
  /** Whether it is about the last key of the path, and not the value. */
  readonly onKey?: boolean;
  /** Characters from the start of the text at the path, where only a part of it is wrong. */
  readonly offset?: number;
  readonly length?: number;
}

/** A finding as a problem at a place in the text. */
export function placeFinding(finding: Finding, root: YamlNode): Problem {
  const { path, onKey, offset: _offset, length: _length, ...said } = finding;
  const { node } = locate(root, path);
  const span = partOf(node, finding) ?? (onKey ? keySpanOf(root, path) : spanOf(root, path));
  return { ...said, span };
}

/** The range of the part that a finding points at, if the source shows the text as it is. */
function partOf(node: YamlNode, { offset, length }: Finding): Span | undefined {
  if (offset === undefined || node.kind !== "scalar" || node.verbatimAt === undefined) {
    return undefined;
  }
  const start = node.verbatimAt + Math.min(offset, node.text.length);
  return { start, end: start + (length ?? 1) };
}

/** A problem as a diagnostic. */
export function diagnose(problem: Problem, source: Source): Diagnostic {
  const { span, severity = "error", code, message } = problem;
  const hint = typeof problem.hint === "function" ? problem.hint() : problem.hint;
  const from = source.positionAt(span.start);
  const to = source.positionAt(span.end);
  const length = to.line === from.line ? Math.max(1, to.column - from.column) : 1;
  return {
    severity,
    file: source.file,
    ...from,
    length,
    message,
    ...(hint !== undefined && { hint }),
    code,
  };
}
