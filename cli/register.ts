import type { Carrier } from "../core/user_events/carrier.ts";
import type { Kernel } from "../core/kernel/port.ts";
import {
  registerEvents,
  type Registration,
  UnavailableError,
} from "../core/user_events/register.ts";
import { addBackendOptions, addFormatOption, type CliCommand } from "./command.ts";
import { loadConfigFile, type LoadedConfig } from "./config_file.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT, exitCodeOf } from "./exit_code.ts";
import { formatTable } from "./table.ts";
import { printData, printJson, type Terminal } from "./terminal.ts";

/** How often `--wait` looks, in milliseconds. */
const WAIT_PERIOD = 500;

/** `sonde register FILE`. */
export const command: CliCommand = {
  summary: "Register a file's user_events, and hold those that do not stay",
  setUp: (command, run) => {
    addFormatOption(addBackendOptions(command)).argument("<file>", "config file")
      .option("--wait", "wait until user_events can be used")
      .action(run(register));
  },
};

async function register(
  context: Context,
  file: string,
  flags: { readonly wait?: boolean },
): Promise<number> {
  const { terminal, options, signal, openBackend } = context;
  const loaded = loadConfigFile(terminal, file);
  if (Object.keys(loaded.config.user_events).length === 0) {
    throw new CliError(EXIT.config, `"${file}" declares no user_events`);
  }
  const backend = openBackend(loaded.config);
  try {
    const registration = flags.wait
      ? await registerWhenPossible(context, backend.kernel, loaded)
      : registerEvents(backend.kernel, loaded.config);
    if (registration === undefined) return exitCodeOf(signal.reason);
    try {
      if (options.format === "json") printRegistrationJson(registration);
      else printRegistration(terminal, registration);
      const held = registration.events.filter(({ stays }) => !stays).length;
      if (held === 0) return EXIT.ok;
      terminal.info(`Holding ${held} ${held === 1 ? "event" : "events"} until SIGINT or SIGTERM`);
      await ended(signal);
      return exitCodeOf(signal.reason);
    } finally {
      registration.close();
    }
  } finally {
    await backend.close();
  }
}

/** Tries again until user_events can be used; undefined if a signal came first. */
async function registerWhenPossible(
  { terminal, signal }: Context,
  kernel: Kernel,
  { config }: LoadedConfig,
): Promise<Registration | undefined> {
  for (let told = false; !signal.aborted; told = true) {
    try {
      return registerEvents(kernel, config);
    } catch (error) {
      // Native calls do not come by waiting.
      if (!(error instanceof UnavailableError) || error.reason === "no_native_calls") throw error;
      if (!told) terminal.info(`Waiting: ${error.message}`);
    }
    await ended(signal, WAIT_PERIOD);
  }
  return undefined;
}

/** Waits for a signal, at most `milliseconds`. */
function ended(signal: AbortSignal, milliseconds = 2 ** 31 - 1): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener("abort", finish);
  });
}

function printRegistration(terminal: Terminal, { events, carriers }: Registration): void {
  printData(formatTable(events.map(({ name, stays }) => [name, stays ? "stays" : "held"])));
  for (const carrier of carriers) terminal.info(describeCarrier(carrier));
  for (const { name, heldBecause } of events) {
    if (heldBecause !== undefined) terminal.warn(`${name} is held: ${heldBecause}`);
  }
}

function describeCarrier({ kind, system, isolation }: Carrier): string {
  if (kind === "root") return `${system}: the root group, which isolates nothing`;
  const by = kind === "kernel" ? "a namespace of the kernel" : "emulated by a prefix of the names";
  const pick = (isolated: boolean) =>
    Object.entries(isolation).filter(([, value]) => value === isolated).map(([what]) => what)
      .join(", ") || "nothing";
  return `${system}: ${by}; isolated: ${pick(true)}; not isolated: ${pick(false)}`;
}

function printRegistrationJson({ events, carriers }: Registration): void {
  printJson({
    events,
    carriers: carriers.map(({ kind, system, isolation }) => ({ kind, system, isolation })),
  });
}
