import { splitWords } from "../dynamic/ctype.ts";

/** A registration command, split: `name[:flags] [fields]`. */
export interface Command {
  readonly name: string;
  /** The text after the first colon of the name, if there is one. */
  readonly flags: string | null;
  /** The text after the first space; null if there is none, which may differ from empty. */
  readonly args: string | null;
}

/**
 * Splits a command as `user_event_parse_cmd` does: at the first space (no other white space),
 * then the name at its first colon. Nothing else is checked: any name passes.
 */
export function splitCommand(text: string): Command {
  const space = text.indexOf(" ");
  const head = space < 0 ? text : text.slice(0, space);
  const colon = head.indexOf(":");
  return {
    name: colon < 0 ? head : head.slice(0, colon),
    flags: colon < 0 ? null : head.slice(colon + 1),
    args: space < 0 ? null : text.slice(space + 1),
  };
}

/**
 * The words of a field list for matching, as `user_event_argv_split` of 6.9 and later makes
 * them: a semicolon ends its word, whether a space follows or not.
 */
export function fieldWords(args: string | null): string[] {
  return splitWords((args ?? "").replaceAll(";", "; "));
}
