import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration, ValueError } from "../core/config/units.ts";
import type { Context } from "./context.ts";

/** One command of the command line; each has a file of its own. */
export interface CliCommand {
  readonly summary: string;
  /** Declares arguments and options, and what is run: an action that gives the exit code. */
  setUp(command: Command, run: Runner): void;
}

/** Wraps what a command does, so that its context is made and its errors are told the same way. */
export type Runner = <Args extends unknown[]>(
  action: (context: Context, ...args: Args) => Promise<number>,
) => (...args: Args) => Promise<void>;

/** Options that every command has. */
export interface GlobalOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly plugin: readonly string[];
  readonly backend: string;
  readonly backendOption: readonly string[];
  readonly format: "text" | "json";
}

/** Declares the options of {@link GlobalOptions}. */
export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option("-q, --quiet", "say nothing but errors").conflicts("verbose"))
    .option("-v, --verbose", "say what is done in detail")
    .option("--plugin <file>", "load a backend or sink from a file (again for more)", collect, []);
}

/** Declares `--backend`, for commands that work on a kernel. */
export function addBackendOptions(command: Command): Command {
  return command
    .option(
      "--backend <name>",
      "auto, tracefs, simulated, or a plugin's; auto never simulates",
      "auto",
    )
    .option(
      "--backend-option <key=value>",
      "an option of the backend (again for more)",
      collect,
      [],
    );
}

/** Declares `--format`, for commands whose output programs read. */
export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option("--format <format>", "how data is printed").choices(["text", "json"]).default(
      "text",
    ),
  );
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** `10s` as nanoseconds. @throws {InvalidArgumentError} */
export function parseDurationArgument(text: string): bigint {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new InvalidArgumentError(`${error.message}. ${error.hint ?? ""}`);
  }
}

/** A whole number of at least 1. @throws {InvalidArgumentError} */
export function parseCountArgument(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new InvalidArgumentError("Expected a whole number from 1");
  }
  return Number(text);
}
