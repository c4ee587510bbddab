import type { AttachableProgram } from "../perf/program.ts";
import type { SimulatedProcess } from "../process.ts";
import type { OpenFile } from "../vfs.ts";
import { KernelError } from "../../../../core/kernel/error.ts";

/** The file behind the descriptor of a loaded program. */
export abstract class ProgramFile implements OpenFile {
  abstract readonly program: AttachableProgram;
  abstract close(): void;
}

/** The program behind a descriptor. @throws {KernelError} EBADF or EINVAL if there is none */
export function programOf(process: SimulatedProcess, fd: number, call: string): AttachableProgram {
  const { file } = process.descriptor(fd, call);
  if (!(file instanceof ProgramFile)) throw new KernelError("EINVAL", call);
  return file.program;
}
