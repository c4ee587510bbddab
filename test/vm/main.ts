/** Runs a command or a script in a guest: see `usage`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type KernelName, kernelNames, vmUnavailable } from "./kernels.ts";
import { runInVm } from "./machine.ts";

const usage = `usage: bun test/vm/main.ts --kernel NAME [options] -- COMMAND...
       bun test/vm/main.ts --kernel NAME [options] --script FILE

Boots a guest, runs the command (words for its shell) or the script in it as root, and exits with
its status; 69 if the guest cannot be booted here, 70 if it crashed, 124 if it ran out of time.

  --kernel NAME         ${kernelNames.join(", ")}
  --script FILE         a script of this machine
  --add HOST[:GUEST]    add a file or directory, with the libraries of executables; repeatable
  --module NAME         load a module of the kernel's package first; repeatable
  --append WORDS        more words for the kernel's command line
  --results DIRECTORY   receives what the guest leaves in /results
  --timeout SECONDS     time limit, boot included (default 120)
  --console             print the kernel's console on stderr afterwards
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string" },
    script: { type: "string" },
    add: { type: "string", multiple: true, default: [] },
    module: { type: "string", multiple: true, default: [] },
    append: { type: "string" },
    results: { type: "string" },
    timeout: { type: "string", default: "120" },
    console: { type: "boolean", default: false },
  },
});

const script = values.script === undefined
  ? positionals.join(" ")
  : readFileSync(values.script, "utf8");
const kernel = kernelNames.find((name) => name === values.kernel);
const seconds = Number(values.timeout);

if (kernel === undefined || script === "" || !(seconds > 0)) {
  end(2, usage);
} else {
  const reason = vmUnavailable(kernel);
  if (reason === undefined) await run(kernel);
  else end(69, `${reason}\n`);
}

async function run(kernel: KernelName): Promise<void> {
  const result = await runInVm({
    kernel,
    script,
    files: Object.fromEntries(values.add.map((argument) => {
      const [host, guest] = argument.split(":");
      return [guest ?? resolve(host), host];
    })),
    modules: values.module,
    append: values.append,
    results: values.results,
    timeoutMs: seconds * 1000,
  });
  process.stdout.write(result.stdout);
  process.stderr.write(result.stderr);
  if (values.console || !result.finished) process.stderr.write(result.console);
  if (result.timedOut) end(124, `The guest was killed after ${seconds} s\n`);
  else if (result.finished) process.exitCode = result.exitCode;
  else end(70, "The guest went down before the end of the script\n");
}

function end(status: number, message: string): void {
  process.stderr.write(message);
  process.exitCode = status;
}
