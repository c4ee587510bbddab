/**
 * A sink of one's own: `key=value` lines, as many log collectors read them.
 *
 *     sonde run FILE --plugin ./logfmt.ts
 *
 * with this in FILE:
 *
 *     sinks:
 *       log: { type: logfmt, prefix: edge-7 }
 *
 * A plugin cannot import sonde at run time, because the compiled binary has no modules that a file
 * on the disk could name: all it needs comes as the argument of its factory. Types are erased, so
 * importing them costs nothing and gives an editor its help. As root, sonde loads a plugin only if
 * nobody else can write the file or any directory above it.
 */

import type { PluginFactory } from "../../core/plugin/plugin.ts";

/** Version of the plugin interface that this file was written for; sonde checks it first. */
export const apiVersion = 1;

const encoder = new TextEncoder();

const factory: PluginFactory = () => ({
  kind: "sink",
  name: "logfmt",
  description: "key=value lines",
  // A plain JSON Schema: sonde checks the options of the config against it.
  options: {
    type: "object",
    properties: { prefix: { type: "string", description: "Put in front of every line" } },
    additionalProperties: false,
  },
  create: ({ options, output }) => {
    const prefix = options.prefix === undefined ? "" : `${options.prefix} `;
    return {
      write(batch, from, to) {
        for (let i = from; i < to; i++) {
          const { timeNs, cpu, tid, comm, probe, args } = batch.materialise(i);
          const values = Object.entries(args).map(([name, value]) => ` ${name}=${text(value)}`);
          const thread = `cpu=${cpu} tid=${tid} comm=${text(comm)}`;
          const line = `${prefix}time_ns=${timeNs} probe=${probe} ${thread}${values.join("")}\n`;
          output.write(encoder.encode(line));
        }
      },
      lost({ cpu, count }) {
        output.write(encoder.encode(`${prefix}lost=${count ?? "unknown"} cpu=${cpu}\n`));
      },
      flush: () => output.flush(),
      close: () => output.close(),
    };
  },
});
export default factory;

/** A value without spaces or line ends of its own; text is quoted as in JSON where it has any. */
function text(value: unknown): string {
  const plain = Array.isArray(value) ? value.map(text).join(",") : String(value);
  return /^[^\s"=]+$/.test(plain) ? plain : JSON.stringify(plain);
}
