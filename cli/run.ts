import { describeLeftover, type Leftover } from "../core/plan/execute.ts";
import type { Installation } from "../core/session/install.ts";
import { type RunSummary, runTrace } from "../core/session/run.ts";
import {
  addBackendOptions,
  type CliCommand,
  parseCountArgument,
  parseDurationArgument,
} from "./command.ts";
import { loadConfigFile } from "./config_file.ts";
import type { Context } from "./context.ts";
import { EXIT, exitCodeOf } from "./exit_code.ts";
import { explainRefusal, prepareTrace } from "./prepare.ts";
import { showProgress } from "./progress.ts";
import { openSinks } from "./sinks.ts";
import type { Terminal } from "./terminal.ts";

interface RunFlags {
  readonly for?: bigint;
  readonly events?: number;
  readonly failOnLoss?: boolean;
}

/** `sonde run FILE`. */
export const command: CliCommand = {
  summary: "Install a trace, stream its events, and remove it",
  setUp: (command, run) => {
    addBackendOptions(command).argument("<file>", "config file")
      .option("--for <time>", "end after this time, such as 10s", parseDurationArgument)
      .option("--events <n>", "end after so many events", parseCountArgument)
      .option("--fail-on-loss", "exit with 4 if events were lost")
      .action(run(stream));
  },
};

async function stream(context: Context, file: string, flags: RunFlags): Promise<number> {
  const { terminal, plugins, signal, openBackend } = context;
  const loaded = loadConfigFile(terminal, file);
  const backend = openBackend(loaded.config);
  try {
    const { request, skipped } = await prepareTrace(context, backend, loaded);
    const sinks = openSinks(plugins, loaded.config, "mono", signal);
    const summary = await explainRefusal(loaded, () =>
      runTrace(backend, request, sinks, {
        signal,
        duration: flags.for,
        events: flags.events,
        progress: showProgress(terminal, "Installing"),
        started: (installation) => tellStart(terminal, installation, request.probes.length),
      }));
    tellEnd(terminal, summary);
    if (signal.aborted) return exitCodeOf(signal.reason);
    if (summary.leftovers.length > 0) return EXIT.busy;
    if (flags.failOnLoss && (summary.lost > 0 || summary.lostUnknown > 0)) return EXIT.lost;
    return skipped.length === 0 ? EXIT.ok : EXIT.degraded;
  } finally {
    await backend.close();
  }
}

function tellStart(terminal: Terminal, installation: Installation, probes: number): void {
  for (const { name, reason, leftovers } of installation.collected) {
    if (leftovers.length === 0) terminal.info(`Removed trace "${name}" first: ${reason}`);
    tellLeftovers(terminal, leftovers);
  }
  const what = `${probes} ${probes === 1 ? "probe" : "probes"}`;
  terminal.info(installation.applied ? `Reading ${what} that apply installed` : `Tracing ${what}`);
}

function tellEnd(terminal: Terminal, summary: RunSummary): void {
  tellLeftovers(terminal, summary.leftovers);
  const parts = [
    `${summary.events} ${summary.events === 1 ? "event" : "events"}`,
    lossText(summary),
  ];
  if (summary.undecoded > 0) parts.push(`${summary.undecoded} not decoded`);
  terminal.info(parts.join(", "));
}

function tellLeftovers(terminal: Terminal, leftovers: readonly Leftover[]): void {
  for (const leftover of leftovers) {
    terminal.warn(`Left behind: ${describeLeftover(leftover)}`, "sonde gc tries again");
  }
}

function lossText({ lost, lostUnknown }: RunSummary): string {
  if (lostUnknown === 0) return lost === 0 ? "none lost" : `${lost} lost`;
  return `more than ${lost} lost (the kernel does not say how many)`;
}
