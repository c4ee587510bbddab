/**
 * Lint rules that keep sonde's structure: `cli -> core <- plugins`, and one place that knows the
 * runtime.
 * @module
 */

const RUNTIME_GLOBALS = new Set(["Bun", "Deno"]);

/** Folders that may know which runtime they are on. */
const RUNTIME_FOLDERS = ["core/kernel/"];

/** What the files of a folder may import, by the start of the path; the first match counts. */
const IMPORTS: readonly { readonly from: RegExp; readonly may: readonly RegExp[] }[] = [
  { from: /^core\//, may: [/^core\//] },
  { from: /^plugins\/builtin\.ts$/, may: [/^core\//, /^plugins\//] },
  { from: /^plugins\/simulated\//, may: [/^core\//, /^plugins\/(simulated|tracefs|mmap)\//] },
  { from: /^plugins\/([a-z_]+)\//, may: [/^core\//, /^plugins\/$1\//] },
];

/** A file's path from the root of the repository. */
function relativePath(filename: string): string {
  const root = new URL("../..", import.meta.url).pathname;
  return filename.startsWith(root) ? filename.slice(root.length) : filename;
}

/** The file that a relative import names, from the root of the repository. */
function importedPath(importer: string, specifier: string): string {
  return new URL(specifier, `file:///${importer}`).pathname.slice(1);
}

/** Whether `file` may import `target`; both from the root of the repository. */
function isAllowed(file: string, target: string): boolean {
  for (const { from, may } of IMPORTS) {
    const match = from.exec(file);
    if (match === null) continue;
    return may.some((pattern) =>
      new RegExp(pattern.source.replace("$1", match[1] ?? "")).test(target)
    );
  }
  return true;
}

const plugin: Deno.lint.Plugin = {
  name: "sonde",
  rules: {
    "import-direction": {
      create(context) {
        const file = relativePath(context.filename);
        const check = (node: Deno.lint.Node, specifier: unknown) => {
          if (typeof specifier !== "string" || !specifier.startsWith(".")) return;
          const target = importedPath(file, specifier);
          if (isAllowed(file, target)) return;
          context.report({
            node,
            message: `${file} may not import ${target}`,
            hint: "Imports go cli -> core <- plugins, and never from one plugin to another",
          });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source.value),
          ExportNamedDeclaration: (node) => node.source && check(node, node.source.value),
          ExportAllDeclaration: (node) => check(node, node.source.value),
          ImportExpression: (node) =>
            node.source.type === "Literal" && check(node, node.source.value),
        };
      },
    },
    "runtime-globals": {
      create(context) {
        const file = relativePath(context.filename);
        const ours = /^(cli|core|plugins)\/|^mod\.ts$/.test(file);
        if (!ours || RUNTIME_FOLDERS.some((folder) => file.startsWith(folder))) return {};
        return {
          Identifier(node) {
            if (!RUNTIME_GLOBALS.has(node.name)) return;
            const { parent } = node;
            // `versions.Bun` and `{ Bun: ... }` name a property, not the global.
            if (
              parent.type === "MemberExpression" && parent.property === node && !parent.computed
            ) {
              return;
            }
            if (parent.type === "Property" && parent.key === node) return;
            context.report({
              node,
              message: `${node.name} may be used in core/kernel/ only`,
              hint: "Ask the kernel port, or a node: module that both runtimes have",
            });
          },
        };
      },
    },
  },
};
export default plugin;
