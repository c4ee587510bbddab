import { DIAG_IOCSREG } from "../../../../../plugins/simulated/kernel/user_events/abi.ts";
import { toBytes } from "../../../../../plugins/simulated/kernel/user_events/byte_string.ts";
import type { DataFile } from "../../../../../plugins/simulated/kernel/user_events/data_file.ts";
import type { Task } from "../../../../../plugins/simulated/kernel/user_events/host.ts";

/** Where registrations put their structure and, behind it, the command: two pages to write. */
const AT = 0x1000;

/** Registers by the structure of version 1. */
export function registerV1(
  file: DataFile,
  command: string,
  task: Task,
): { writeIndex: number; statusBit: number } {
  const view = structure(20, command, task);
  view.setBigUint64(4, BigInt(AT + 64), true);
  const answer = call(file, view, task);
  return { statusBit: answer.getUint32(12, true), writeIndex: answer.getUint32(16, true) };
}

/** Registers by the structure of version 2; gives the write index. */
export function registerV2(
  file: DataFile,
  command: string,
  task: Task,
  options: { readonly address: number; readonly bit?: number; readonly flags?: number },
): number {
  const view = structure(28, command, task);
  view.setUint8(4, options.bit ?? 0);
  view.setUint8(5, 4);
  view.setUint16(6, options.flags ?? 0, true);
  view.setBigUint64(8, BigInt(options.address), true);
  view.setBigUint64(16, BigInt(AT + 64), true);
  return call(file, view, task).getUint32(24, true);
}

function structure(size: number, command: string, task: Task): DataView {
  task.memory.write(BigInt(AT + 64), toBytes(`${command}\0`));
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, size, true);
  return view;
}

function call(file: DataFile, view: DataView, task: Task): DataView {
  task.memory.write(BigInt(AT), new Uint8Array(view.buffer));
  file.ioctl(DIAG_IOCSREG, BigInt(AT), task);
  return new DataView(task.memory.read(BigInt(AT), view.byteLength)!.buffer);
}
