/**
 * Rules for the names in a probe definition.
 *
 * The kernel cuts its definition files into lines at newlines, drops what follows a `#`, and cuts
 * a line into words at white space, without any quoting (`trace_parse_run_command()` in
 * kernel/trace/trace.c, `argv_split()` in lib/argv_split.c). A name that holds one of these would
 * become a second definition or another argument, so every name is checked before it is written.
 * Each function here returns why a name is not valid, or undefined if it is.
 * @module
 */

/** Longest group or event name, in characters (`MAX_EVENT_NAME_LEN`, kernel/trace/trace.h). */
export const MAX_EVENT_NAME = 63;

/** Longest name of an event field, in characters (`MAX_ARG_NAME_LEN`, kernel/trace/trace_probe.h). */
export const MAX_FIELD_NAME = 32;

/** Longest symbol name, in characters (`KSYM_NAME_LEN` less the NUL, include/linux/kallsyms.h). */
const MAX_SYMBOL_NAME = 511;

/** Longest module name, in characters (`MODULE_NAME_LEN` less the NUL, include/linux/module.h). */
const MAX_MODULE_NAME = 55;

/** Longest path, in bytes (`PATH_MAX` less the NUL, include/uapi/linux/limits.h). */
const MAX_PATH = 4095;

/** Names that every event of a probe has already (`reserved_field_names`, kernel/trace/trace_probe.c). */
const RESERVED_FIELDS: readonly string[] = [
  "common_type",
  "common_flags",
  "common_preempt_count",
  "common_pid",
  "common_tgid",
  "__probe_ip",
  "__probe_ret_ip",
  "__probe_func",
];

const encoder = new TextEncoder();

/** Why `name` cannot be an event group; 1 to 63 of `[A-Za-z0-9_-]`, not starting with a digit. */
export function groupFault(name: string): string | undefined {
  return nameFault("group", name, /[A-Za-z0-9_-]/, MAX_EVENT_NAME);
}

/** Why `name` cannot be an event; 1 to 63 of `[A-Za-z0-9_]`, not starting with a digit. */
export function eventFault(name: string): string | undefined {
  return nameFault("event", name, /[A-Za-z0-9_]/, MAX_EVENT_NAME);
}

/** Why `name` cannot be a field of a probe's event; 1 to 32 of `[A-Za-z0-9_]`, and not a reserved one. */
export function fieldFault(name: string): string | undefined {
  if (RESERVED_FIELDS.includes(name)) return `Field name ${quote(name)} is the kernel's own`;
  return nameFault("field", name, /[A-Za-z0-9_]/, MAX_FIELD_NAME);
}

/**
 * Why `name` cannot be a kernel function; at most 511 of `[A-Za-z0-9_.$]`, not starting with a
 * digit. The kernel looks for `:` (module), `+`, `-` (offset) and `%` (`%return`) in it.
 */
export function symbolFault(name: string): string | undefined {
  return nameFault("symbol", name, /[A-Za-z0-9_.$]/, MAX_SYMBOL_NAME);
}

/**
 * Why `name` cannot be a kernel module; at most 55 of `[A-Za-z0-9_]`. A `-` would be read as the
 * start of the offset; the kernel names modules with `_` (`nf-tables.ko` is `nf_tables`).
 */
export function moduleFault(name: string): string | undefined {
  if (name.includes("-")) {
    return `Module name ${quote(name)} has a "-"; the kernel writes "_" instead`;
  }
  return wordFault("module", name, /[A-Za-z0-9_]/, MAX_MODULE_NAME);
}

/**
 * Why a uprobe cannot sit in file `path`, which is absolute and at most 4095 bytes.
 *
 * The kernel splits at the *last* `:` of the word (`__trace_uprobe_create()`,
 * kernel/trace/trace_uprobe.c), and the one before our offset is always the last, so a path may
 * hold any number of them. White space, control characters and `#` would end the word. So would
 * the byte 0xa0, a blank to the kernel (lib/ctype.c) and part of letters such as "à" in UTF-8.
 * `;` is refused too: it ends a field in the definition files of other kinds of events.
 */
export function pathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return `Path ${quote(path)} is not absolute`;
  const bad = /[\s\p{Cc}#;]/u.exec(path)?.[0];
  if (bad !== undefined) {
    return `Path ${quote(path)} has ${quote(bad)}, which the kernel's definition files cannot hold`;
  }
  if (!path.isWellFormed()) return `Path ${quote(path)} is not valid Unicode`;
  const bytes = encoder.encode(path);
  if (bytes.length > MAX_PATH) return `Path has ${bytes.length} bytes, more than ${MAX_PATH}`;
  const blank = Array.from(path).find((letter) => encoder.encode(letter).includes(0xa0));
  if (blank !== undefined) {
    return `Path ${quote(path)} has "${blank}", whose byte 0xa0 the kernel takes for a blank`;
  }
  return undefined;
}

/**
 * An event name made of a function's: every run of other characters than letters and digits
 * becomes one `_`, as `do_sys_open.isra.0` -> `do_sys_open_isra_0`; at most 63 characters.
 */
export function sanitizeEventName(symbol: string): string {
  const name = symbol.replace(/[^A-Za-z0-9]+/g, "_");
  return (/^[A-Za-z_]/.test(name) ? name : `_${name}`).slice(0, MAX_EVENT_NAME);
}

/** `text` in quotes, with what a terminal cannot show escaped, and cut at 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function nameFault(what: string, name: string, allowed: RegExp, most: number): string | undefined {
  if (/^[0-9]/.test(name)) return `${capital(what)} name ${quote(name)} starts with a digit`;
  return wordFault(what, name, allowed, most);
}

function wordFault(what: string, name: string, allowed: RegExp, most: number): string | undefined {
  if (name === "") return `${capital(what)} name is empty`;
  const bad = Array.from(name).find((letter) => !allowed.test(letter));
  if (bad !== undefined) {
    return `${capital(what)} name ${quote(name)} has ${quote(bad)}; allowed are ${allowed.source}`;
  }
  if (name.length > most) {
    return `${capital(what)} name ${quote(name)} has ${name.length} characters, more than ${most}`;
  }
  return undefined;
}

function capital(word: string): string {
  return word[0].toUpperCase() + word.slice(1);
}
