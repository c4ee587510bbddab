import { parseConfig, type ParsedConfig } from "../../../core/config/config.ts";
import type { Environment } from "../../../core/config/variables.ts";

/** The least that a config needs, as text to put something below. */
export const HEAD = "apiVersion: sonde/v1\nkind: Trace\nmetadata: { name: t }\n";

/** Parses `body` below {@link HEAD}. */
export function parseBody(body: string, env: Environment = {}): ParsedConfig {
  return parseConfig(HEAD + body, { file: "t.yaml", env });
}

/** What is wrong with `body`: `line:column message (hint)`, lines counted from its first. */
export function mistakes(body: string, env: Environment = {}): string[] {
  return parseBody(body, env).diagnostics.map(({ line, column, message, hint, severity }) =>
    `${line - 3}:${column} ${severity === "warning" ? "warning: " : ""}${message}` +
    (hint === undefined ? "" : ` (${hint})`)
  );
}

/** The example of a config that uses every section. */
export const EXAMPLE = `# yaml-language-server: $schema=./sonde.schema.json
apiVersion: sonde/v1
kind: Trace
metadata: { name: edge-baseline, labels: { owner: platform } }
vars: { slow: 10ms }
defaults: { on_missing: warn }
namespaces:
  shop: { limit: 64 }
user_events:
  checkout:
    namespace: shop
    fields: { order_id: u64, stage: "char[16]", amount_cents: s32, note: string }
    persist: true
probes:
  file_open:
    kprobe: { symbol: do_sys_openat2 }
    capture: { dfd: "$arg1:s32", filename: "+0($arg2):ustring" }
    filter: 'dfd == -100'
  open_failed:
    kretprobe: { symbol: do_sys_openat2, max_active: 256 }
    capture: { ret: "$retval:s32" }
    filter: 'ret < 0'
  tls_read:
    uprobe: { path: /usr/lib/x86_64-linux-gnu/libssl.so.3, symbol: SSL_read }
    capture: { num: "$arg3:s32" }
  switch: { tracepoint: sched/sched_switch, filter: 'prev_prio < 100' }
  big_order: { user_event: shop/checkout, filter: 'amount_cents > 100000' }
sinks:
  screen: { type: text }
  events: { type: jsonl, path: /var/log/sonde/events.jsonl }
simulate:
  kernel: "6.12"
  functions: { do_sys_openat2: { args: [s32, ustring], returns: s32 } }
  calls:
    - { function: do_sys_openat2, args: [-100, /etc/passwd], returns: 3, process: { pid: 42, comm: cat }, every: 1ms, count: 100 }
  writes:
    - { user_event: shop/checkout, fields: { order_id: 7, stage: paid, amount_cents: 125000, note: hello }, process: { pid: 50, comm: shop }, every: 5ms, count: 20 }
tests:
  failures_are_seen:
    calls: [ { function: do_sys_openat2, args: [-100, /nope], returns: -2 } ]
    expect: { open_failed: { count: 1, args: { ret: -2 } }, lost: 0 }
`;
