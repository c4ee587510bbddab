import { Command, CommanderError } from "commander";
import process from "node:process";
import { addGlobalOptions, type CliCommand, type GlobalOptions, type Runner } from "./command.ts";
import { OutputError } from "../core/pipeline/output.ts";
import { makeContext } from "./context.ts";
import { EXIT } from "./exit_code.ts";
import { reportError } from "./report.ts";
import { Terminal } from "./terminal.ts";
import { VERSION } from "./version_number.ts";

/** The commands, in the order of the help. A command's file is loaded when it is called. */
const COMMANDS: Readonly<Record<string, () => Promise<{ command: CliCommand }>>> = {
  validate: () => import("./validate.ts"),
  plan: () => import("./plan.ts"),
  run: () => import("./run.ts"),
  apply: () => import("./apply.ts"),
  status: () => import("./status.ts"),
  register: () => import("./register.ts"),
  remove: () => import("./remove.ts"),
  gc: () => import("./gc.ts"),
  test: () => import("./test.ts"),
  profile: () => import("./profile.ts"),
  doctor: () => import("./doctor.ts"),
  list: () => import("./list.ts"),
  schema: () => import("./schema.ts"),
  version: () => import("./version.ts"),
};

/** Runs an action with a context of its own and turns its errors into messages and exit codes. */
const runner: Runner = (action) => async (...args) => {
  const command = args.at(-1) as Command;
  const options = command.optsWithGlobals() as GlobalOptions;
  try {
    process.exitCode = await action(await makeContext(withDefaults(options)), ...args);
  } catch (error) {
    const verbosity = options.quiet ? "quiet" : options.verbose ? "verbose" : "normal";
    process.exitCode = reportError(new Terminal(verbosity), error);
  }
};

function withDefaults(options: GlobalOptions): GlobalOptions {
  const { backend = "auto", backendOption = [], format = "text", plugin = [] } = options;
  return { ...options, backend, backendOption, format, plugin };
}

/** Loads only the command that is called; all of them where help is asked for. */
async function makeProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command("sonde")
    .description("Traces a Linux host from a YAML file of probes, and leaves nothing behind")
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(sonde --help lists the commands)")
    .showSuggestionAfterError()
    .exitOverride();
  const called = argv.find((argument) => Object.hasOwn(COMMANDS, argument));
  const helpOfAll = called === undefined || argv[0] === "help";
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (!helpOfAll && name !== called) continue;
    const { command } = await load();
    const child = addGlobalOptions(
      program.command(name).summary(command.summary)
        .description(command.summary),
    ).exitOverride();
    command.setUp(child, runner);
  }
  return program;
}

/** sonde's entry point. @param argv the arguments, without runtime and script. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = await makeProgram(argv);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 || error.code === "commander.help" && argv.length > 0
      ? EXIT.ok
      : EXIT.usage;
  }
}

/** A reader that has gone ends a command; messages that nobody can read are no reason to end. */
function watchOutputs(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    const failure = new OutputError("standard output", error.code ?? error.message);
    process.exit(reportError(new Terminal("normal"), failure));
  });
  process.stderr.on("error", () => {});
}

if (import.meta.main) {
  watchOutputs();
  await main(process.argv.slice(2));
}
