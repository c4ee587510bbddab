/**
 * Operations: the reversible steps by which a backend changes a kernel, as plain data.
 * `plan` prints them, the ledger keeps them, a roll-back and `gc` undo them.
 * @module
 */

/** One change of the kernel. `file` and `path` are relative to the tracefs root where there is one. */
export type Step =
  | { readonly call: "mkdir" | "rmdir"; readonly path: string }
  | { readonly call: "write"; readonly file: string; readonly text: string }
  | { readonly call: "append"; readonly file: string; readonly text: string }
  | {
    readonly call: "perf_event_open";
    readonly event: string;
    readonly cpus: string;
    /** How the event is carried out, in words. */
    readonly how: string;
  }
  | {
    readonly call: "perf_event_enable" | "perf_event_disable" | "perf_event_close";
    readonly event: string;
  };

/** What an operation makes or sets. */
export type OperationKind =
  | "instance"
  | "setting"
  | "definition"
  | "filter"
  | "enable"
  | "perf_event";

/** One reversible step from what is installed to what is declared. */
export interface Operation {
  readonly kind: OperationKind;
  /** What is made or set, unique among the operations of a kind: `sonde_edge/open_failed`. */
  readonly target: string;
  /** Key of the probe in the config; absent where the operation serves all of them. */
  readonly probe?: string;
  readonly step: Step;
  /** How to take it back; absent where it goes with something that is taken back itself. */
  readonly undo?: Step;
}

/** Something that is in the kernel now, ours or not. */
export interface Installed {
  readonly kind: OperationKind;
  readonly target: string;
  /** Name of the trace it belongs to, by its group or instance; absent for what is not ours. */
  readonly owner?: string;
  /** As the kernel lists it. */
  readonly text: string;
  /** How to remove it. Only set on what is ours. */
  readonly undo?: Step;
}

/** A step as the line that a person would type, for `plan` and error messages. */
export function describeStep(step: Step): string {
  switch (step.call) {
    case "mkdir":
    case "rmdir":
      return `${step.call} ${step.path}`;
    case "write":
      return `${step.file} = ${step.text}`;
    case "append":
      return `${step.file} += ${step.text}`;
    case "perf_event_open":
      return `perf_event_open ${step.event} on CPU ${step.cpus} (${step.how})`;
    case "perf_event_enable":
    case "perf_event_disable":
    case "perf_event_close":
      return `${step.call} ${step.event}`;
  }
}

/** Whether what a step changes ends with the process that took it, whatever becomes of that. */
export function endsWithProcess(step: Step): boolean {
  return step.call.startsWith("perf_event_");
}
