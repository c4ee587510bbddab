import { NoTracefsError } from "../plugins/tracefs/backend.ts";
import { OperationError } from "../core/backend.ts";
import { KernelError } from "../core/kernel/error.ts";
import { OutputError } from "../core/pipeline/output.ts";
import { RolledBackError } from "../core/plan/execute.ts";
import { BusyError } from "../core/plan/lock.ts";
import { PluginError } from "../core/plugin/error.ts";
import { RegistrationError } from "../core/user_events/data_file.ts";
import { UnavailableError } from "../core/user_events/register.ts";
import { AppliedError } from "../core/session/install.ts";

/** What sonde exits with; 128 + n is an end by signal n. */
export const EXIT = {
  ok: 0,
  /** A failure at run time. */
  failure: 1,
  usage: 2,
  /** A probe was skipped. */
  degraded: 3,
  /** Events were lost, with `--fail-on-loss`. */
  lost: 4,
  /** The kernel lacks the feature. */
  unavailable: 69,
  /** Something is in use: try again. */
  busy: 75,
  noPermission: 77,
  config: 78,
} as const;

/** What an end by a signal exits with. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that asks for an orderly end. */
export type EndingSignal = keyof typeof SIGNAL_EXIT;

/** Whether work was given up for a signal: that is what it failed with then. */
export function isEndingSignal(error: unknown): error is EndingSignal {
  return typeof error === "string" && Object.hasOwn(SIGNAL_EXIT, error);
}

/** A failure that knows its exit code. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(exitCode: number, message: string, hint?: string) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

const BY_ERRNO: Readonly<Record<string, number>> = {
  EPERM: EXIT.noPermission,
  EACCES: EXIT.noPermission,
  EBUSY: EXIT.busy,
  EAGAIN: EXIT.busy,
  ENOSYS: EXIT.unavailable,
  ENODEV: EXIT.unavailable,
  EOPNOTSUPP: EXIT.unavailable,
};

/**
 * What kernels answer to a definition or filter that is not for them; 6.12 says EINVAL to a missing
 * function where 6.1 says ENOENT, and to an ambiguous one where 6.1 says EADDRNOTAVAIL.
 */
const ABOUT_TEXT: Readonly<Record<string, readonly string[]>> = {
  definition: ["EINVAL", "E2BIG", "ERANGE", "EILSEQ", "ENOENT", "EADDRNOTAVAIL"],
  filter: ["EINVAL", "E2BIG"],
};

/** The exit code that tells a script what kind of failure `error` is. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof RolledBackError) return exitCodeOf(error.cause);
  if (isEndingSignal(error)) return SIGNAL_EXIT[error];
  if (error instanceof BusyError || error instanceof AppliedError) return EXIT.busy;
  if (error instanceof NoTracefsError) return EXIT.unavailable;
  if (error instanceof PluginError) return EXIT.usage;
  if (error instanceof UnavailableError) {
    return error.reason === "no_permission" ? EXIT.noPermission : EXIT.unavailable;
  }
  if (
    error instanceof OutputError || error instanceof KernelError ||
    error instanceof RegistrationError
  ) {
    return BY_ERRNO[error.code] ?? EXIT.failure;
  }
  if (error instanceof OperationError) {
    if (ABOUT_TEXT[error.operation.kind]?.includes(error.code)) return EXIT.config;
    return BY_ERRNO[error.code] ?? EXIT.failure;
  }
  return EXIT.failure;
}
