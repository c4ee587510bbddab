/** Runs a script as root in a Linux guest, under QEMU without KVM. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeInitramfs } from "./initramfs.ts";
import { findKernel, type Kernel, type KernelName } from "./kernels.ts";

export interface VmRun {
  readonly kernel: KernelName;
  /** What to run: text for the guest's `sh`, or for the interpreter that its `#!` names. */
  readonly script: string;
  /**
   * Files and directories to put into the guest: path there, path here. Executables bring their
   * shared libraries.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Modules of Debian's kernels to load before the script, in this order. */
  readonly modules?: readonly string[];
  /** More words for the kernel's command line, such as `lockdown=confidentiality`. */
  readonly append?: string;
  /** Directory here that receives what the script put into `/results`. */
  readonly results?: string;
  /** Hard limit on the whole run in milliseconds, boot included; two minutes if not given. */
  readonly timeoutMs?: number;
}

export interface VmResult {
  /** The script ended and its output is complete; false if the guest crashed, or went down early. */
  readonly finished: boolean;
  /** The guest was killed at the time limit. */
  readonly timedOut: boolean;
  /** Exit status of the script; undefined unless `finished`. */
  readonly exitCode: number | undefined;
  /** The script's output, as far as it came. */
  readonly stdout: string;
  readonly stderr: string;
  /** The kernel's console: warnings, oopses and panics. */
  readonly console: string;
  /** Time from start to end in milliseconds. */
  readonly elapsedMs: number;
}

/**
 * Boots a guest, runs a script in it as root, and waits for the end. The guest has busybox,
 * two CPUs, `lo`, and the usual file systems (tracefs, debugfs, cgroup2, bpffs, tmpfs on /run and
 * /tmp); it is a RAM disk, gone afterwards.
 *
 * A guest that crashes or hangs is a result, not an error.
 *
 * @throws {Error} if the kernel or a file is missing, or QEMU does not start.
 */
export async function runInVm(run: VmRun): Promise<VmResult> {
  const kernel = findKernel(run.kernel);
  if ("missing" in kernel) throw new Error(`Cannot boot: ${kernel.missing}`);
  const directory = mkdtempSync(join(tmpdir(), "sonde-vm-"));
  try {
    writeInitramfs(join(directory, "initramfs"), kernel, {
      script: run.script,
      files: run.files ?? {},
      modules: run.modules ?? [],
    });
    const started = performance.now();
    const { timedOut } = await runQemu(qemuArguments(kernel, run, directory), run.timeoutMs);
    const elapsedMs = Math.round(performance.now() - started);
    return { ...readResult(directory, run), timedOut, elapsedMs };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function qemuArguments(kernel: Kernel, run: VmRun, directory: string): string[] {
  const initramfs = join(directory, "initramfs");
  // The archive and what is unpacked from it are there together for a while, and the latter may
  // fill half of the memory at most (size of a tmpfs).
  const memory = 768 + Math.ceil(statSync(initramfs).size / (1 << 20)) * 2;
  const command = "console=ttyS0 quiet panic=-1 oops=panic tsc=reliable";
  // They slow the guest down for nothing; our own kernels are built without them.
  const mitigations = kernel.modules === undefined ? "" : "mitigations=off";
  const ports = ["stdout", "stderr", "status", "results"];
  // thread=single: with thread=multi QEMU 7.2 crashes guests that patch their text, as each
  // enabled probe makes them do.
  return [
    ..."-accel tcg,thread=single -cpu max -smp 2 -nodefaults -display none -no-reboot".split(" "),
    ...["-m", `${memory}M`, "-kernel", kernel.image, "-initrd", initramfs],
    ...["-append", `${command} ${mitigations} ${run.append ?? ""}`],
    ...["-serial", `file:${join(directory, "console")}`, "-device", "virtio-serial-pci"],
    ...ports.flatMap((name, index) => [
      ...["-chardev", `file,id=${name},path=${join(directory, name)}`],
      ...["-device", `virtserialport,chardev=${name},nr=${index + 1}`],
    ]),
  ];
}

/** Runs QEMU to its end or to the time limit; it also dies with this process. */
function runQemu(args: readonly string[], timeoutMs = 120_000): Promise<{ timedOut: boolean }> {
  return new Promise((resolve, reject) => {
    const command = ["--pdeathsig", "KILL", "qemu-system-x86_64", ...args];
    const qemu = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    let timedOut = false;
    qemu.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
    const limit = setTimeout(() => {
      timedOut = true;
      qemu.kill("SIGKILL");
    }, timeoutMs);
    qemu.on("error", (error) => {
      clearTimeout(limit);
      reject(error);
    });
    qemu.on("close", (code, signal) => {
      clearTimeout(limit);
      if (timedOut || code === 0) resolve({ timedOut });
      else reject(new Error(`QEMU ended with ${signal ?? `status ${code}`}: ${errors.trim()}`));
    });
  });
}

function readResult(directory: string, run: VmRun): Omit<VmResult, "timedOut" | "elapsedMs"> {
  const read = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const status = /^exit (\d+)$/m.exec(read("status"))?.[1];
  const archive = join(directory, "results");
  if (run.results !== undefined && status !== undefined) {
    execFileSync("tar", ["-C", run.results, "-xf", archive]);
  }
  return {
    finished: status !== undefined,
    exitCode: status === undefined ? undefined : Number(status),
    stdout: read("stdout"),
    stderr: read("stderr"),
    console: read("console"),
  };
}
