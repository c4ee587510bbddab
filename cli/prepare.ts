import { type Backend, OperationError, type TraceRequest } from "../core/backend.ts";
import { type ProbeConfig, probeKind } from "../core/config/config.ts";
import { desiredProbes } from "../core/config/desired.ts";
import { formatDiagnostic } from "../core/config/diagnostic.ts";
import { RolledBackError } from "../core/plan/execute.ts";
import { placeProbes, traceRequest, type UnplacedProbe } from "../core/session/place.ts";
import { archOf } from "../core/probe/registers.ts";
import { ConfigError } from "./config_error.ts";
import type { LoadedConfig } from "./config_file.ts";
import type { Context } from "./context.ts";
import { CliError, EXIT, exitCodeOf } from "./exit_code.ts";
import { sinkDiagnostics } from "./sinks.ts";
import { requireUsable } from "./usable.ts";

/** A probe that is left out. */
export interface SkippedProbe {
  readonly probe: string;
  readonly reason: string;
}

/** What a config asks of this kernel. */
export interface PreparedTrace {
  readonly request: TraceRequest;
  readonly skipped: readonly SkippedProbe[];
}

/**
 * Finds the places of a config's probes on the backend's kernel.
 *
 * @param options.missing `report` leaves every probe without a place out, whatever the config says.
 * @throws {ConfigError} for probes without a place that are not to be left out, and for bad sinks.
 * @throws {CliError} where the backend cannot work.
 */
export async function prepareTrace(
  context: Context,
  backend: Backend,
  loaded: LoadedConfig,
  options: { readonly missing?: "report" } = {},
): Promise<PreparedTrace> {
  const { config, parsed, source } = loaded;
  const badSinks = sinkDiagnostics(context.plugins, parsed, config);
  if (badSinks.length > 0) throw new ConfigError(badSinks, source);
  await requireUsable(backend);

  const { arch: machine } = backend.kernel.machine;
  const arch = archOf(machine);
  if (arch === undefined) {
    throw new CliError(EXIT.unavailable, `sonde does not know the registers of "${machine}"`);
  }
  const desired = desiredProbes(config, arch);
  const { placed, unplaced } = await placeProbes(backend, desired);
  if (options.missing !== "report") reportUnplaced(context, loaded, unplaced);
  return {
    request: traceRequest(config, placed),
    skipped: unplaced.map(({ desired: { id }, reason }) => ({ probe: id, reason })),
  };
}

function reportUnplaced(
  { terminal }: Context,
  { parsed, source }: LoadedConfig,
  unplaced: readonly UnplacedProbe[],
): void {
  const diagnose = ({ desired, reason, hint }: UnplacedProbe, severity: "error" | "warning") =>
    parsed.diagnose({ path: desired.path, code: "bad_value", message: reason, hint, severity });
  const wanted = unplaced.filter(({ desired }) => desired.onMissing === "error");
  if (wanted.length > 0) {
    const lacksFeature = wanted.some((probe) => probe.lacksFeature);
    throw new ConfigError(
      wanted.map((probe) => diagnose(probe, "error")),
      source,
      lacksFeature ? EXIT.unavailable : EXIT.failure,
    );
  }
  for (const probe of unplaced) {
    const { id, onMissing } = probe.desired;
    if (onMissing === "skip") terminal.detail(`Probe ${id} is left out: ${probe.reason}`);
    else {
      const warning = diagnose(probe, "warning");
      terminal.noteBlock(formatDiagnostic(warning, source, { color: terminal.colors }));
    }
  }
}

/** Runs an installation; what the kernel refuses is shown at the place in the config. */
export async function explainRefusal<T>(
  loaded: LoadedConfig,
  install: () => Promise<T>,
): Promise<T> {
  try {
    return await install();
  } catch (error) {
    const cause = error instanceof RolledBackError ? error.cause : error;
    if (!(error instanceof RolledBackError) || !(cause instanceof OperationError)) throw error;
    if (cause.operation.probe === undefined) throw error;
    const diagnostic = loaded.parsed.diagnose({
      ...whereInConfig(loaded, cause),
      code: "bad_value",
      message: `The kernel refuses this: ${cause.message}`,
      hint: cause.hint,
    });
    const told = new ConfigError([diagnostic], loaded.source, exitCodeOf(cause));
    throw new RolledBackError(told, error.leftovers, error.notRestored);
  }
}

/** The place in the config that the kernel's caret points at. */
function whereInConfig(
  { config }: LoadedConfig,
  { operation, position }: OperationError,
): { path: (string | number)[]; offset?: number } {
  const probe = operation.probe!;
  const path = ["probes", probe];
  if (operation.kind === "filter") {
    return { path: [...path, "filter"], ...(position !== undefined && { offset: position }) };
  }
  if (operation.kind !== "definition" || position === undefined) return { path };
  if (operation.step.call !== "append") return { path };
  const { keys, ...part } = partOfProbe(operation.step.text, position, config.probes[probe]);
  return { path: [...path, ...keys], ...part };
}

/** What of a probe its line has at `position`: the keys below the probe, the place in their text. */
function partOfProbe(
  line: string,
  position: number,
  probe: ProbeConfig,
): { readonly keys: string[]; readonly offset?: number } {
  const start = line.lastIndexOf(" ", position - 1) + 1;
  const index = line.slice(0, start).split(" ").length - 1;
  if (index === 1) return { keys: keysOfPlace(probe) };
  const [name, fetch] = line.slice(start).split(" ")[0].split(/=(.*)/s);
  const capture = index < 2 ? undefined : probe.capture?.[name];
  if (capture === undefined) return { keys: [] };
  const offset = position - start - name.length - 1;
  return { keys: ["capture", name], ...(capture === fetch && offset > 0 && { offset }) };
}

function keysOfPlace(probe: ProbeConfig): string[] {
  const kind = probeKind(probe);
  const place = probe[kind];
  if (typeof place !== "object") return [kind];
  return [kind, "symbol" in place ? "symbol" : "path"];
}
