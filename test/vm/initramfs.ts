/** The guest's root file system: busybox, the files of a test with their libraries, a script. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeCpio } from "./cpio.ts";
import { Tree } from "./tree.ts";
import { findModule, findProgram, type Kernel } from "./kernels.ts";

export interface Contents {
  /** Text of the script; run by busybox's `sh` if it does not begin with `#!`. */
  readonly script: string;
  /** Files and directories to add: path in the guest, path on the host. */
  readonly files: Readonly<Record<string, string>>;
  /** Kernel modules to load, in this order. */
  readonly modules: readonly string[];
}

/** Drivers of the virtio ports, in the order they need each other; built in where not found. */
const virtioModules = [
  "virtio_ring",
  "virtio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "virtio_console",
];

const directories = ["/proc", "/results", "/root", "/run", "/sys", "/tmp", "/var/lib", "/var/log"];

const etc = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n",
  "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
  "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
};

/**
 * Writes the initramfs of a guest to the file `path`.
 *
 * @throws {Error} if a file of `contents`, a library that it needs, or a module is not there.
 */
export function writeInitramfs(path: string, kernel: Kernel, contents: Contents): void {
  const tree = new Tree();
  for (const directory of directories) tree.add(directory, { type: "directory", mode: 0o755 });
  // As on Debian, so that both spellings of a library's path name the same file.
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    tree.add(`/usr/${name}`, { type: "directory", mode: 0o755 });
    tree.add(`/${name}`, { type: "link", target: `usr/${name}` });
  }
  tree.add("/dev/console", { type: "device", mode: 0o600, major: 5, minor: 1 });
  for (const [file, text] of Object.entries(etc)) {
    tree.addText(file, 0o644, text);
  }
  addBusybox(tree);
  addModules(tree, kernel, contents.modules);
  const init = readFileSync(new URL("./init.sh", import.meta.url), "utf8");
  tree.addText("/init", 0o755, init);
  const shebang = contents.script.startsWith("#!") ? "" : "#!/bin/sh\n";
  tree.addText("/vm/script", 0o755, `${shebang}${contents.script}\n`);
  for (const [guest, host] of Object.entries(contents.files)) tree.addFromHost(guest, host);
  writeCpio(path, tree.entries);
}

function addBusybox(tree: Tree): void {
  const busybox = findProgram("busybox");
  if (busybox === undefined) throw new Error('"busybox" is not installed');
  const applets = execFileSync(busybox, ["--list-full"], { encoding: "utf8" }).trim().split("\n");
  for (const applet of applets) {
    tree.add(`/${applet}`, { type: "link", target: "/usr/bin/busybox" });
  }
  tree.addFromHost("/usr/bin/busybox", busybox);
}

function addModules(tree: Tree, kernel: Kernel, wanted: readonly string[]): void {
  let order = 10;
  for (const name of [...virtioModules, ...wanted]) {
    const source = findModule(kernel, name);
    if (source === undefined && wanted.includes(name)) {
      throw new Error(`kernel "${kernel.name}" has no module "${name}"`);
    }
    if (source === undefined) continue;
    const data = source.endsWith(".xz")
      ? execFileSync("xz", ["-dc", source], { maxBuffer: 1 << 28 })
      : readFileSync(source);
    tree.add(`/vm/modules/${order++}-${name}.ko`, { type: "data", mode: 0o644, data });
  }
}
