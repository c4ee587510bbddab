import { isKernelError } from "../kernel/error.ts";
import { readTextIfPresent } from "../kernel/files.ts";
import type { Kernel } from "../kernel/port.ts";
import {
  ensureStateDirectory,
  isAlive,
  listState,
  parseObject,
  type ProcessIdentity,
  removeFile,
  selfIdentity,
  STATE_DIRECTORY,
} from "./state.ts";

/** Another sonde works on the same trace. */
export class BusyError extends Error {
  readonly hint: string;

  constructor(name: string, holder: ProcessIdentity) {
    super(`Trace "${name}" is in use by another sonde, process ${holder.pid}`);
    this.name = "BusyError";
    this.hint = `Stop that process first, or give this trace another metadata.name`;
  }
}

/** Exclusive use of a trace's name while it is held. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock of trace `name`; one whose holder is dead is taken over.
 *
 * @throws {BusyError} if a running sonde holds it.
 * @throws {KernelError} if the state directory cannot be written.
 */
export function takeLock(kernel: Kernel, name: string): Lock {
  ensureStateDirectory(kernel);
  const path = lockPath(name);
  const mine = JSON.stringify(selfIdentity(kernel)) + "\n";
  for (;;) {
    if (createLock(kernel, path, mine)) return { release: () => removeFile(kernel, path) };
    const holder = readHolder(kernel, path);
    if (holder !== undefined && isAlive(kernel, holder)) throw new BusyError(name, holder);
    discardStale(kernel, path, holder);
  }
}

/** The running sonde that holds the lock of trace `name`, if any. */
export function lockHolder(kernel: Kernel, name: string): ProcessIdentity | undefined {
  const holder = readHolder(kernel, lockPath(name));
  return holder !== undefined && isAlive(kernel, holder) ? holder : undefined;
}

/** Removes the locks of sondes that died, and what those that died while locking left. */
export function discardDeadLocks(kernel: Kernel): void {
  for (const file of listState(kernel)) {
    const match = /\.lock(?:\.(?:stale\.)?(\d+))?$/.exec(file);
    if (match === null) continue;
    const path = `${STATE_DIRECTORY}/${file}`;
    const holder = readHolder(kernel, path);
    const [, maker] = match;
    const owner = holder ?? (maker === undefined ? undefined : { pid: Number(maker) });
    if (owner !== undefined && isAlive(kernel, owner)) continue;
    if (maker === undefined) discardStale(kernel, path, holder);
    else removeFile(kernel, path);
  }
}

function lockPath(name: string): string {
  return `${STATE_DIRECTORY}/${name}.lock`;
}

function createLock(kernel: Kernel, path: string, content: string): boolean {
  // Written under another name first, so that nobody ever reads a lock without its holder.
  const draft = `${path}.${kernel.machine.pid}`;
  const fd = kernel.open(draft, { access: "write", create: true, truncate: true });
  try {
    try {
      kernel.write(fd, new TextEncoder().encode(content));
    } finally {
      kernel.close(fd);
    }
    kernel.link(draft, path);
    return true;
  } catch (error) {
    if (isKernelError(error, "EEXIST")) return false;
    throw error;
  } finally {
    removeFile(kernel, draft);
  }
}

function readHolder(kernel: Kernel, path: string): ProcessIdentity | undefined {
  const text = readTextIfPresent(kernel, path);
  const holder = text === undefined ? undefined : parseObject(text) as Partial<ProcessIdentity>;
  return typeof holder?.pid === "number" ? holder as ProcessIdentity : undefined;
}

/**
 * Moves a dead holder's lock away. Two processes may find the same dead lock: the one that comes
 * second may move a lock that is alive again, and puts it back.
 */
function discardStale(kernel: Kernel, path: string, holder: ProcessIdentity | undefined): void {
  const aside = `${path}.stale.${kernel.machine.pid}`;
  try {
    kernel.rename(path, aside);
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return;
    throw error;
  }
  const moved = readHolder(kernel, aside);
  if (moved !== undefined && moved.pid !== holder?.pid && isAlive(kernel, moved)) {
    kernel.rename(aside, path);
  } else {
    removeFile(kernel, aside);
  }
}
