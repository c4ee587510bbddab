import { get, type Plain } from "./tree.ts";

/**
 * The fetch argument that a capture stands for: its text, or what `{ arg, type }` is short for.
 * Undefined if the capture has neither shape.
 */
export function captureText(capture: Plain): string | undefined {
  if (typeof capture === "string") return capture;
  const arg = get(capture, "arg");
  const type = get(capture, "type");
  if (typeof arg !== "string" && typeof arg !== "number") return undefined;
  const source = typeof arg === "number" ? `$arg${arg}` : arg;
  if (type === undefined) return source;
  // The kernel reads a string from memory only; the argument is the address of it.
  return type === "string" || type === "ustring" ? `+0(${source}):${type}` : `${source}:${type}`;
}
