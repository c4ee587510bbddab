import { chmodSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

/** Whether plugins are vetted before they are loaded. */
export const IS_ROOT = process.geteuid?.() === 0;

/** A directory that plugins may lie in: as root, one that nobody else can write to. */
export function makePluginDirectory(): { readonly path: string; remove(): void } {
  const parents = IS_ROOT ? [homedir(), "/var/lib", "/run"].filter(isOursAlone) : [tmpdir()];
  const path = mkdtempSync(join(parents[0], "sonde-test-"));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function isOursAlone(path: string): boolean {
  const { uid, mode } = lstatSync(path);
  if (uid !== 0 || (mode & 0o022) !== 0) return false;
  return path === dirname(path) || isOursAlone(dirname(path));
}

/** Writes a plugin into a directory; its path. */
export function writePlugin(directory: string, text: string, name = "plugin.ts"): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

/** A sink of one's own: a line for each record. */
export const SINK_PLUGIN = `
export const apiVersion = 1;
export default (host: unknown) => ({
  kind: "sink",
  name: "lines",
  description: "A line for each record",
  options: {
    type: "object",
    properties: { prefix: { type: "string" } },
    additionalProperties: false,
  },
  create({ output, options }) {
    const put = (text: string) => output.write(new TextEncoder().encode(text));
    return {
      write(batch, from, to) {
        for (let i = from; i < to; i++) {
          const { probe, args } = batch.materialise(i);
          put(\`\${options.prefix ?? ""}\${probe} \${Object.values(args).join(" ")}\\n\`);
        }
      },
      lost: ({ count }) => put(\`lost \${count}\\n\`),
      flush: () => output.flush(),
      close: () => output.close(),
    };
  },
});
`;

/** A backend of one's own: the simulated one, which says what it does. */
export const BACKEND_PLUGIN = `
export const apiVersion = 1;
export default (host) => ({
  kind: "backend",
  name: "noisy",
  description: "The simulated kernel, aloud",
  options: {
    type: "object",
    properties: { word: { type: "string" } },
    additionalProperties: false,
  },
  create(context) {
    const inner = host.backend("simulated", { ...context, options: {} });
    return {
      ...inner,
      name: "noisy",
      perform: async (operations) => {
        process.stderr.write(\`\${context.options.word} \${operations.length}\\n\`);
        await inner.perform(operations);
      },
    };
  },
});
`;
