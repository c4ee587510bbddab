import type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
import type { Source, Span } from "./source.ts";
import { keySpanOf, locate, type Path, spanOf } from "./tree.ts";
import type { Problem, YamlNode } from "./yaml.ts";

/** A mistake at a path of the config. */
export interface Finding {
  readonly path: Path;
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
  readonly severity?: "error" | "warning";
  /** Whether it is about the last key of the path, and not the value. */
  readonly onKey?: boolean;
  /** Characters from the start of the text at the path, where only a part of it is wrong. */
  readonly offset?: number;
  readonly length?: number;
}

/** A problem as a diagnostic. */
export function diagnoseProblem(problem: Problem, source: Source): Diagnostic {
  return { ...place(problem.span, source), severity: "error", ...said(problem) };
}

/** A finding as a diagnostic. */
export function diagnoseFinding(finding: Finding, source: Source, root: YamlNode): Diagnostic {
  const { node } = locate(root, finding.path);
  const span = partOf(node, finding) ??
    (finding.onKey ? keySpanOf(root, finding.path) : spanOf(root, finding.path));
  return { ...place(span, source), severity: finding.severity ?? "error", ...said(finding) };
}

/** The range of the part that a finding points at, if the source shows the text as it is. */
function partOf(node: YamlNode, { offset, length }: Finding): Span | undefined {
  if (offset === undefined || node.kind !== "scalar" || node.verbatimAt === undefined) {
    return undefined;
  }
  const start = node.verbatimAt + Math.min(offset, node.text.length);
  return { start, end: start + (length ?? 1) };
}

function said({ code, message, hint }: Problem | Finding) {
  return { code, message, ...(hint !== undefined && { hint }) };
}

function place(span: Span, source: Source) {
  const from = source.positionAt(span.start);
  const to = source.positionAt(span.end);
  const length = to.line === from.line ? Math.max(1, to.column - from.column) : 1;
  return { file: source.file, ...from, length };
}
