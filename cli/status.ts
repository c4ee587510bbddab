import type { ProbeState } from "../core/backend.ts";
import { listLedgers } from "../core/plan/ledger.ts";
import { lockHolder } from "../core/plan/lock.ts";
import { isTraceName } from "../core/names.ts";
import { type TraceStatus, traceStatus } from "../core/session/status.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT } from "./exit_code.ts";
import { requireTraceName } from "./remove.ts";
import { formatTable } from "./table.ts";
import { printData, printJson } from "./terminal.ts";
import { requireUsable } from "./usable.ts";

/** `sonde status [NAME]`. */
export const command: CliCommand = {
  summary: "Show what is installed and whether it works, as the kernel has it",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command))
      .argument("[name]", "metadata.name of a trace; all of them without").action(run(show));
  },
};

async function show(context: Context, name: string | undefined): Promise<number> {
  const { terminal, options, openBackend } = context;
  if (name !== undefined) requireTraceName(name);
  const backend = openBackend();
  try {
    await requireUsable(backend);
    const owners = (await backend.inventory()).flatMap(({ owner }) => owner ?? []);
    const names = new Set([...owners, ...listLedgers(backend.kernel).filter(isTraceName)]);
    if (name !== undefined && !names.has(name)) {
      throw new CliError(EXIT.failure, `There is no trace "${name}" here`);
    }
    const traces: TraceStatus[] = [];
    for (const one of name === undefined ? [...names].sort() : [name]) {
      traces.push(await traceStatus(backend, one));
    }
    if (options.format === "json") printJson({ traces });
    else if (traces.length === 0) terminal.info("No trace is installed");
    for (const trace of options.format === "json" ? [] : traces) {
      printData(formatTrace(trace, lockHolder(backend.kernel, trace.name)?.pid));
    }
    return traces.every(({ healthy }) => healthy) ? EXIT.ok : EXIT.degraded;
  } finally {
    await backend.close();
  }
}

function formatTrace(trace: TraceStatus, pid: number | undefined): string {
  const rows = [
    ["  STATE", "PROBE", "EVENT", "HITS", "MISSED", "FILTER"],
    ...trace.probes.map((probe) => [
      `  ${probe.missing ? "missing" : probe.active ? "active" : "disabled"}`,
      probe.probe ?? "-",
      probe.event,
      countText(probe, "hits"),
      countText(probe, "missed"),
      probe.filter ?? "",
    ]),
  ];
  const holder = pid === undefined ? trace.state : `running, process ${pid}`;
  return `${trace.name}: ${holder}\n${formatTable(rows)}`;
}

function countText(state: ProbeState, key: "hits" | "missed"): string {
  return state[key] === undefined ? "-" : String(state[key]);
}
