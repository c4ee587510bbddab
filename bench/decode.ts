/**
 * How many events a CPU second decodes: raw pages in memory to JSON Lines in memory.
 * Pages come from the simulated ring buffer; `bun bench/decode.ts` and `deno run -A bench/decode.ts`.
 * @module
 */

import { ByteWriter } from "../core/event/bytes.ts";
import { DEFAULT_PAGE_LAYOUT } from "../core/event/header_page.ts";
import { JsonLines } from "../core/event/json.ts";
import { compileEvents, RecordBatch } from "../core/event/record.ts";
import { RingBuffer } from "../plugins/simulated/kernel/ring_buffer/ring_buffer.ts";

const EVENTS = 1_000_000;
const RUNS = 7;

const COMMON = `format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

`;

/** One kind of event: its format, and what writes entry `i`. */
interface Workload {
  readonly event: string;
  readonly format: string;
  entry(i: number): Uint8Array;
}

const entry = new Uint8Array(256);
const view = new DataView(entry.buffer);

function header(id: number): void {
  entry.fill(0);
  view.setUint16(0, id, true);
  view.setInt32(4, 4242, true);
}

const workloads: readonly Workload[] = [
  {
    event: "syscalls/sys_enter_getppid",
    format: `name: sys_enter_getppid\nID: 305\n${COMMON}` +
      `\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n\nprint fmt: ""\n`,
    entry() {
      header(305);
      view.setInt32(8, 110, true);
      return entry.subarray(0, 12);
    },
  },
  {
    event: "sonde_bench/two_arguments",
    format: `name: two_arguments\nID: 1601\n${COMMON}` +
      `\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n` +
      `\tfield:u64 first;\toffset:16;\tsize:8;\tsigned:0;\n` +
      `\tfield:s32 second;\toffset:24;\tsize:4;\tsigned:1;\n\nprint fmt: ""\n`,
    entry(i) {
      header(1601);
      view.setBigUint64(8, 0x55d0c0ffee10n, true);
      view.setBigUint64(16, 0x7fff00001000n + BigInt(i), true);
      view.setInt32(24, -i, true);
      return entry.subarray(0, 28);
    },
  },
  {
    event: "sonde_bench/path",
    format: `name: path\nID: 1602\n${COMMON}` +
      `\tfield:unsigned long __probe_ip;\toffset:8;\tsize:8;\tsigned:0;\n` +
      `\tfield:s32 dfd;\toffset:16;\tsize:4;\tsigned:1;\n` +
      `\tfield:__data_loc char[] filename;\toffset:20;\tsize:4;\tsigned:1;\n\nprint fmt: ""\n`,
    entry(i) {
      header(1602);
      const path = new TextEncoder().encode(`/usr/lib/x86_64-linux-gnu/libfile.so.${i % 1000}\0`);
      view.setInt32(16, -100, true);
      view.setUint32(20, (path.length << 16) | 24, true);
      entry.set(path, 24);
      return entry.subarray(0, 24 + path.length);
    },
  },
];

/** The pages that hold `EVENTS` events, 2.5 million of them a second. */
function pagesOf(workload: Workload): Uint8Array[] {
  const ring = new RingBuffer({ cpus: 1, bytes: 64 * 4080 });
  const raw = ring.openRaw(0);
  const pages: Uint8Array[] = [];
  const drain = () => {
    for (;;) {
      const page = new Uint8Array(4096);
      if (raw.read(page) === undefined) return;
      pages.push(page);
    }
  };
  let now = 9_007_199_254_740_993n * 3n;
  for (let i = 0; i < EVENTS; i++) {
    now += 400n;
    ring.write(0, workload.entry(i), now);
    if (i % 1000 === 999) drain();
  }
  drain();
  return pages;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

/** CPU seconds of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

for (const workload of workloads) {
  const pages = pagesOf(workload);
  const table = compileEvents([{ probe: "bench", ...workload }]);
  const batch = new RecordBatch(table, () => "bench");
  const out = new ByteWriter();
  const json = new JsonLines(out);
  const rates: Record<"walk" | "json", number[]> = { walk: [], json: [] };
  let bytes = 0;
  for (let run = 0; run < RUNS; run++) {
    let start = cpuSeconds();
    let events = 0;
    for (const page of pages) {
      batch.load(0, page, DEFAULT_PAGE_LAYOUT);
      events += batch.count;
    }
    rates.walk.push(events / (cpuSeconds() - start));
    start = cpuSeconds();
    bytes = 0;
    for (const page of pages) {
      batch.load(0, page, DEFAULT_PAGE_LAYOUT);
      json.addBatch(batch);
      if (out.at < 1 << 16) continue;
      bytes += out.at;
      out.clear();
    }
    rates.json.push(events / (cpuSeconds() - start));
  }
  const [walk, toJson] = [median(rates.walk), median(rates.json)].map((n) => (n / 1e6).toFixed(2));
  console.log(
    `${workload.event}: walk ${walk} M/s, JSON Lines ${toJson} M/s, ` +
      `${(bytes / EVENTS).toFixed(0)} bytes a line`,
  );
}
