/** The kernels that tests boot, and where their images are found. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root directory of the repository. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Kernels by name. Those with user_events are built by `build/kernel/build.sh`; Debian's are the
 * cloud kernels of Debian 12, which `test/vm/setup.sh` downloads.
 */
export const kernelNames = [
  "6.12-user-events",
  "6.12-user-events-btf",
  "6.1-user-events",
  "6.12-debian",
  "6.1-debian",
] as const;
export type KernelName = typeof kernelNames[number];

export interface Kernel {
  readonly name: KernelName;
  /** The bzImage. */
  readonly image: string;
  /** Directory with the kernel's modules, searched in depth; absent where all is built in. */
  readonly modules?: string;
}

/** Directory that `setup.sh` and `build.sh` put kernels into. */
const cache = join(repository, ".cache/kernels");

/**
 * Finds the image of a kernel: in `$SONDE_KERNELS`, in `shared/kernels` beside the repository, in
 * `.cache/kernels`. An image listed in a `SHA256SUMS` beside it has to match.
 *
 * @returns the kernel, or in `missing` why there is none and what to do.
 */
export function findKernel(name: KernelName): Kernel | { readonly missing: string } {
  return name.endsWith("-debian") ? findDebianKernel(name) : findBuiltKernel(name);
}

function findBuiltKernel(name: KernelName): Kernel | { readonly missing: string } {
  const shared = join(repository, "../shared/kernels");
  const directories = [process.env.SONDE_KERNELS, shared, cache].filter((d) => d !== undefined);
  const image = directories.map((d) => join(d, `bzImage-${name}`)).find((path) => existsSync(path));
  if (image === undefined) {
    return {
      missing: `no image of kernel "${name}" in ${directories.join(", ")}; ` +
        `run build/kernel/build.sh ${name}`,
    };
  }
  return checksumMatches(image) ? { name, image } : {
    missing: `"${image}" does not match the SHA256SUMS beside it; replace it`,
  };
}

function checksumMatches(image: string): boolean {
  const sums = join(dirname(image), "SHA256SUMS");
  if (!existsSync(sums)) return true;
  const lines = readFileSync(sums, "utf8").split("\n").map((line) => line.split(/\s+\*?/));
  const expected = lines.find(([, file]) => file === basename(image))?.[0];
  if (expected === undefined) return true;
  return createHash("sha256").update(readFileSync(image)).digest("hex") === expected;
}

function findDebianKernel(name: KernelName): Kernel | { readonly missing: string } {
  const boot = join(cache, name, "boot");
  const image = existsSync(boot)
    ? readdirSync(boot).find((file) => file.startsWith("vmlinuz-"))
    : undefined;
  if (image === undefined) {
    return { missing: `no kernel package unpacked in ${join(cache, name)}; run test/vm/setup.sh` };
  }
  return { name, image: join(boot, image), modules: join(cache, name, "lib/modules") };
}

/**
 * The path of a kernel module within the kernel's package, or undefined if there is no such
 * module (the driver may be built in).
 *
 * @param module - name as in `lsmod`, such as `virtio_blk`
 */
export function findModule(kernel: Kernel, module: string): string | undefined {
  if (kernel.modules === undefined) return undefined;
  const file = new RegExp(`^${module.replaceAll("_", "[-_]")}\\.ko(\\.xz)?$`);
  const paths = readdirSync(kernel.modules, { recursive: true, encoding: "utf8" });
  const path = paths.find((path) => file.test(basename(path)));
  return path === undefined ? undefined : join(kernel.modules, path);
}

/**
 * Why a guest with this kernel cannot be booted here, and what to do; undefined if it can.
 */
export function vmUnavailable(name: KernelName): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return `the guests' kernels are for Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  }
  for (const program of ["qemu-system-x86_64", "busybox", "setpriv", "ldd", "xz", "tar"]) {
    if (findProgram(program) === undefined) {
      return `"${program}" is not installed; run test/vm/setup.sh`;
    }
  }
  const kernel = findKernel(name);
  return "missing" in kernel ? kernel.missing : undefined;
}

/** The path of a program in `$PATH`, or undefined. */
export function findProgram(name: string): string | undefined {
  try {
    return execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { encoding: "utf8" })
      .trim();
  } catch {
    return undefined;
  }
}
