/**
 * What the simulated kernel is, and what its programs do.
 * @module
 */

import * as z from "zod";
import { ERRNO, type ErrnoCode } from "../../kernel/errno.ts";
import { MODULE, PROCESS_ID, SYMBOL, TRACEPOINT, USER_EVENT_REFERENCE } from "../names.ts";
import { absolutePath, duration, mapOf, named, scalar, section, whole } from "./values.ts";

/** Kernels that can be simulated; `rfc2022` is the one with user_event namespaces. */
export const SIMULATED_KERNELS = ["6.12", "6.1", "rfc2022"] as const;

/** TASK_COMM_LEN of include/linux/sched.h is 16, with the NUL. */
const comm = z.string().min(1).max(15).describe("Name of the thread, at most 15 characters");

/** PID_MAX_LIMIT of include/linux/threads.h. */
const pid = whole(1, 4194304);

const processMap = section({
  pid: pid.describe("Process id, as the host counts it"),
  tid: pid.optional().describe("Thread id; the process id without"),
  comm,
  cpu: whole(0, 255).optional().describe("CPU that it runs on; any without"),
});

const process = z.union([z.string(), processMap], {
  error: "Expected the id of a process or a map with pid and comm",
}).describe("Who does it: a key of simulate.processes, or pid and comm");

const parameter = z.union([
  z.string(),
  section({
    name: z.string().describe("Name of the parameter, for captures by name"),
    type: z.string().describe("Type, such as s32 or ustring"),
  }),
], { error: "Expected a type, or a map with name and type" });

const prototype = {
  args: z.array(parameter).max(12).default([])
    .describe("Types of the parameters: u8 to u64, s8 to s64, string, ustring"),
  returns: z.string().optional().describe("Type of the return value; none without"),
  size: whole(1, 2 ** 24).optional().describe("Bytes of code"),
};

const kernelFunction = section({
  ...prototype,
  module: named(MODULE).optional().describe("Module that it belongs to"),
  probeable: z.boolean().default(true)
    .describe("Whether it can be probed; false for a notrace or blacklisted function"),
});

const symbolEntry = section({
  type: z.string().length(1).default("t").describe("Letter of its type in /proc/kallsyms"),
  module: named(MODULE).optional().describe("Module that it belongs to"),
});

const userFunction = section({
  ...prototype,
  offset: whole(1, 2 ** 48).optional().describe("Offset into the file; made up without"),
});

const executable = section({
  functions: mapOf(SYMBOL, userFunction).default({}).describe("Functions by symbol"),
});

const tracepoint = section({
  fields: mapOf({ ...SYMBOL, what: "field name" }, z.string()).default({})
    .describe('Fields by name, as C types, such as pid_t or "char[16]"'),
});

const timing = {
  process: process.optional(),
  every: duration().optional().describe("Time between two of them, such as 1ms"),
  count: whole(0, 1_000_000_000).default(1).describe("How many"),
  burst: whole(1, 1_000_000).default(1).describe("How many at once, each time"),
  after: duration().optional().describe("Time before the first"),
};

const fieldValues = z.record(z.string(), scalar());

const callFields = {
  function: z.string().optional().describe("Function that is called"),
  executable: absolutePath().optional()
    .describe("Executable that has the function; the kernel without"),
  tracepoint: named(TRACEPOINT).optional().describe("Tracepoint that is passed, as system/event"),
  args: z.array(scalar()).max(12).default([]).describe("Arguments, in order"),
  returns: scalar().optional().describe("Return value"),
  fields: fieldValues.default({}).describe("Values of the tracepoint's fields"),
  latency: duration().optional().describe("Time from call to return"),
  ...timing,
};

/** Something that is called: a function or a tracepoint, one of which `check.ts` asks for. */
export type Call = z.output<z.ZodObject<typeof callFields>> & { calls: Call[] };

const call: z.ZodType<Call> = section({
  ...callFields,
  calls: z.array(z.lazy(() => call)).default([])
    .describe("Calls that it makes before it returns"),
});

export const calls = z.array(call).default([]);

export const writes = z.array(section({
  user_event: named(USER_EVENT_REFERENCE).describe("Event that is written, as namespace/event"),
  fields: fieldValues.default({}).describe("Values of its fields"),
  ...timing,
})).default([]);

const fault = section({
  call: z.string().optional().describe("System call that fails, such as write; any without"),
  path: z.string().optional().describe("File that it is about, by the end of its path"),
  error: z.enum(["crash", ...Object.keys(ERRNO) as ErrnoCode[]])
    .describe("Error that it fails with, or crash, which ends sonde there"),
  nth: whole(1, 1_000_000).default(1).describe("Which of the calls fails, from 1"),
  times: whole(1, 1_000_000).default(1).describe("How many fail from there"),
});

export const simulate = section({
  kernel: z.enum(SIMULATED_KERNELS).default("6.12").describe("Linux version that it behaves as"),
  cpus: whole(1, 256).default(2).describe("Number of CPUs"),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(1)
    .describe("Start of its random numbers: the same seed gives the same run"),
  functions: mapOf(SYMBOL, kernelFunction).default({}).describe("Kernel functions by symbol"),
  symbols: mapOf(SYMBOL, symbolEntry).default({})
    .describe("Further names in /proc/kallsyms, such as those of data"),
  modules: z.array(named(MODULE)).default([]).describe("Modules that are loaded"),
  tracepoints: mapOf(TRACEPOINT, tracepoint).default({})
    .describe("Tracepoints beyond those it has, as system/event"),
  executables: z.record(absolutePath(), executable).default({})
    .describe("Executables and libraries by path"),
  processes: mapOf(PROCESS_ID, processMap).default({}).describe("Processes, to be named in calls"),
  calls: calls.describe("What is called while it runs"),
  writes: writes.describe("user_events that programs write while it runs"),
  faults: z.array(fault).default([]).describe("System calls of sonde that are made to fail"),
});
