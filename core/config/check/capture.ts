import { DefinitionError } from "../../probe/error.ts";
import { type FetchExpression, parseFetchArg } from "../../probe/fetch_arg.ts";
import { prepareFetchArg } from "../../probe/fetch_check.ts";
import { captureText } from "../capture.ts";
import type { Finding } from "../finding.ts";
import { DEFINED_KINDS } from "../schema/probe.ts";
import { entriesOf, get, type Path, type Plain } from "../tree.ts";

export type DefinedKind = (typeof DEFINED_KINDS)[number];

/** What the captures of a probe are: fetch arguments by name, without those that are wrong. */
export interface Captures {
  readonly expressions: ReadonlyMap<string, FetchExpression>;
  readonly findings: readonly Finding[];
}

/** Checks the captures of a probe of `kind`, which is at `path`. */
export function checkCaptures(probe: Plain, kind: DefinedKind, path: Path): Captures {
  const expressions = new Map<string, FetchExpression>();
  const findings: Finding[] = [];
  for (const [name, capture] of entriesOf(get(probe, "capture"))) {
    const text = captureText(capture);
    if (text === undefined) continue;
    const at = [...path, "capture", name];
    try {
      prepareFetchArg(text, kind, placeOf(probe, kind, text));
      expressions.set(name, parseFetchArg(text));
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      findings.push(finding(error, capture, at));
    }
  }
  return { expressions, findings };
}

/** What is known of the machine and the place without a kernel. */
function placeOf(probe: Plain, kind: DefinedKind, text: string) {
  // Registers of every architecture may stand in a file; `$argN` of a uprobe needs one of them.
  if (kind === "uprobe" && text.includes("$arg")) return { arch: "x86-64" } as const;
  const offset = get(get(probe, kind), "offset");
  return kind === "kprobe" && typeof offset === "number" ? { offset } : {};
}

function finding(error: DefinitionError, capture: Plain, path: Path): Finding {
  const { message, hint, offset, text } = error;
  const said = { code: "bad_value" as const, message, ...(hint !== undefined && { hint }) };
  if (typeof capture === "string") return { path, offset, ...said };
  const colon = text.indexOf(":");
  return { path: [...path, colon >= 0 && offset >= colon ? "type" : "arg"], ...said };
}
