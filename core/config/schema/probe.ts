import * as z from "zod";
import { CAPTURE_NAME, MODULE, TRACEPOINT, USER_EVENT_REFERENCE } from "../names.ts";
import { orList } from "../text.ts";
import { absolutePath, complain, isMap, mapOf, named, section, unsigned, whole } from "./values.ts";

/** The kinds of probe; a probe has exactly one of these keys. */
export const PROBE_KINDS = [
  "kprobe",
  "kretprobe",
  "uprobe",
  "uretprobe",
  "tracepoint",
  "user_event",
] as const;

export type ProbeKind = (typeof PROBE_KINDS)[number];

/** Kinds that need a definition in the kernel, and can capture. */
export const DEFINED_KINDS = ["kprobe", "kretprobe", "uprobe", "uretprobe"] as const;

export const onMissing = z.enum(["error", "warn", "skip"])
  .describe("What to do if the kernel has no such place: fail, go on with a warning, or go on");

const symbol = z.union([z.string(), z.array(z.string()).min(1).max(64)], {
  error: "Expected a symbol or a list of symbols",
}).describe("Function name, or a list of names of which the first that exists is taken");

const module = named(MODULE).describe("Module that has the function; needed if several have it");

const kprobe = section({
  symbol,
  // Beyond 32 bits the kernel cuts the offset without a word (kernel/events/core.c).
  offset: whole(0, 2 ** 32 - 1).optional()
    .describe("Bytes from the start of the function, at the boundary of an instruction"),
  module: module.optional(),
});

const kretprobe = section({
  symbol,
  // KRETPROBE_MAXACTIVE_MAX of kernel/trace/trace_kprobe.c.
  max_active: whole(1, 4096).optional()
    .describe("Calls that can be followed at the same time; more are counted as missed"),
  module: module.optional(),
});

const PLACES = ["symbol", "offset", "address"] as const;

const uprobe = section({
  path: absolutePath().describe("Executable or library, as an absolute path"),
  symbol: symbol.optional(),
  offset: unsigned(63).optional().describe("Offset into the file, in place of a symbol"),
  address: unsigned(64).optional()
    .describe("Address as the ELF file counts it, in place of a symbol"),
  ref_counter: unsigned(63).optional().describe("Offset into the file of a USDT semaphore"),
}).superRefine((place, context) => {
  const given = PLACES.filter((key) => Object.hasOwn(place, key));
  if (given.length === 1) return;
  complain(context, {
    message: given.length === 0
      ? "No place in the file is given"
      : `A uprobe has one place, this one has ${given.join(" and ")}`,
    hint: `Give one of ${orList(PLACES)}`,
    code: given.length === 0 ? "missing_key" : "conflict",
  });
}, { when: isMap });

const capture = z.union([
  z.string(),
  section({
    arg: z.union([z.int().meta({ minimum: 1, maximum: 6 }), z.string()], {
      error: "Expected the number of an argument, 1 to 6, or the name of a parameter",
    }).describe("Argument by number, 1 is the first; by name where the kernel has BTF"),
    type: z.string().optional().describe("Type as in a fetch argument, such as s32 or ustring"),
  }),
], { error: "Expected a fetch argument or a map with arg and type" })
  .describe('Fetch argument of the kernel, such as "$arg1:s32", or { arg: 1, type: s32 }');

export const probe = section({
  kprobe: kprobe.optional().describe(
    "At an instruction of a kernel function, its entry by default",
  ),
  kretprobe: kretprobe.optional().describe("At the return of a kernel function"),
  uprobe: uprobe.optional().describe("At an instruction of a program or library"),
  uretprobe: uprobe.optional().describe("At the return of a function of a program or library"),
  tracepoint: named(TRACEPOINT).optional()
    .describe("At a tracepoint of the kernel, as system/event"),
  user_event: named(USER_EVENT_REFERENCE).optional()
    .describe("At an event that a program writes, as namespace/event or event"),
  capture: mapOf(CAPTURE_NAME, capture).optional()
    .describe("Values to record, by the name of the field that they become"),
  filter: z.string().optional()
    .describe("Filter in the kernel's grammar; records that do not match are never written"),
  on_missing: onMissing.optional(),
  enabled: z.boolean().default(true).describe("Whether to install the probe at all"),
}).superRefine((probe, context) => {
  const kinds = PROBE_KINDS.filter((kind) => Object.hasOwn(probe, kind));
  const misspelt = kinds.length === 0 &&
    context.issues.some((issue) => issue.code === "unrecognized_keys");
  if (kinds.length === 1 || misspelt) return;
  complain(context, {
    message: kinds.length === 0
      ? "The probe has no kind"
      : `A probe has one kind, this one has ${kinds.join(" and ")}`,
    hint: kinds.length === 0
      ? `Give one of ${orList(PROBE_KINDS)}`
      : "Declare a probe for each, with an id of its own",
    code: kinds.length === 0 ? "missing_key" : "conflict",
  });
}, { when: isMap }).meta({ oneOf: PROBE_KINDS.map((kind) => ({ required: [kind] })) });
