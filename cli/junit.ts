import type { FileResults } from "../core/config_test/run.ts";

/** Results as JUnit XML, a test suite for each file, as CI systems read it. */
export function formatJunit(files: readonly FileResults[]): string {
  const suites = files.map(({ file, results }) => {
    const failures = results.filter(({ passed, error }) => !passed && error === undefined).length;
    const errors = results.filter(({ error }) => error !== undefined).length;
    const cases = results.map(({ name, mismatches, error, milliseconds }) => {
      const head = `    <testcase name="${escape(name)}" classname="${escape(file)}" time="${
        (milliseconds / 1000).toFixed(3)
      }"`;
      const problems = [
        ...(error === undefined ? [] : [`      <error message="${escape(error.message)}"/>`]),
        ...mismatches.map(({ path, expected, actual }) => {
          const message = `${path.join(".")}: expected ${expected}, got ${actual}`;
          return `      <failure message="${escape(message)}"/>`;
        }),
      ];
      return problems.length === 0
        ? `${head}/>`
        : `${head}>\n${problems.join("\n")}\n    </testcase>`;
    });
    return `  <testsuite name="${escape(file)}" tests="${results.length}" failures="${failures}" ` +
      `errors="${errors}">\n${cases.join("\n")}\n  </testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${
    suites.join("\n")
  }\n</testsuites>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text as XML 1.0 can hold it: control characters have no form there at all. */
function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character])
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
}
