import { Errors } from "typebox/schema";
import type { JsonSchema, Plugin, PluginOptions } from "./plugin.ts";
import { PluginError } from "./error.ts";

/** What is wrong with an option. */
export interface OptionProblem {
  /** Keys that lead to it. */
  readonly path: readonly string[];
  readonly message: string;
}

const NO_OPTIONS: JsonSchema = { type: "object", additionalProperties: false };

/** What a plugin's JSON Schema finds wrong with `options`. */
export function optionProblems(plugin: Plugin, options: PluginOptions): OptionProblem[] {
  const [valid, errors] = Errors((plugin.options ?? NO_OPTIONS) as never, options);
  if (valid) return [];
  return errors.filter(({ keyword }) => keyword !== "boolean").flatMap((error) => {
    const path = error.instancePath.split("/").slice(1);
    const extra =
      (error.params as { additionalProperties?: readonly string[] }).additionalProperties;
    if (extra === undefined) return [{ path, message: error.message }];
    return extra.map((key) => ({
      path: [...path, key],
      message: `${plugin.kind} "${plugin.name}" has no option "${key}"`,
    }));
  });
}

/** @throws {PluginError} naming the first thing that is wrong with `options`. */
export function checkOptions(plugin: Plugin, options: PluginOptions): void {
  const [problem] = optionProblems(plugin, options);
  if (problem === undefined) return;
  const at = problem.path.length === 0 ? "" : ` at "${problem.path.join(".")}"`;
  throw new PluginError(`Bad options of ${plugin.kind} "${plugin.name}"${at}: ${problem.message}`);
}
