import type { Finding } from "../finding.ts";
import { didYouMean } from "../text.ts";
import { entriesOf, get, itemsOf, type Path, type Plain } from "../tree.ts";
import { findUserEvent } from "./user_events.ts";

/** Checks `simulate`: that calls and writes name what is declared. */
export function checkSimulate(config: Plain): Finding[] {
  return checkLoad(config, get(config, "simulate"), ["simulate"]);
}

/** Checks the `calls` and `writes` of `simulate` or of a test, which is at `path`. */
export function checkLoad(config: Plain, load: Plain | undefined, path: Path): Finding[] {
  return [
    ...checkCalls(config, get(load, "calls"), [...path, "calls"]),
    ...itemsOf(get(load, "writes")).flatMap((write, index) =>
      checkWrite(config, write, [...path, "writes", index])
    ),
  ];
}

function checkCalls(config: Plain, calls: Plain | undefined, path: Path): Finding[] {
  return itemsOf(calls).flatMap((call, index) => {
    const at = [...path, index];
    return [
      ...checkCallee(config, call, at),
      ...checkProcess(config, call, at),
      ...checkCalls(config, get(call, "calls"), [...at, "calls"]),
    ];
  });
}

/** Functions that can be called, by name; `where` is their path in the config. */
function functionsOf(config: Plain, executable: Plain | undefined) {
  const simulate = get(config, "simulate");
  if (typeof executable !== "string") {
    return { functions: get(simulate, "functions"), where: "simulate.functions" };
  }
  const declared = get(get(simulate, "executables"), executable);
  return { functions: get(declared, "functions"), where: `simulate.executables.${executable}` };
}

function checkCallee(config: Plain, call: Plain, path: Path): Finding[] {
  const name = get(call, "function");
  const isFunction = name !== undefined;
  if (isFunction === (get(call, "tracepoint") !== undefined)) {
    return [{
      path,
      code: isFunction ? "conflict" : "missing_key",
      message: isFunction
        ? "A call has a function or a tracepoint, this one has both"
        : "A call needs a function or a tracepoint",
    }];
  }
  if (typeof name !== "string") return [];
  const { functions, where } = functionsOf(config, get(call, "executable"));
  const declared = get(functions, name);
  if (declared !== undefined) return checkArguments(call, declared, path);
  return [{
    path: [...path, "function"],
    code: "undeclared",
    message: `Function "${name}" is not declared under ${where}`,
    hint: () =>
      didYouMean(name, entriesOf(functions).map(([known]) => known)) ??
        `Declare it with the types of its arguments: ${name}: { args: [u64], returns: s32 }`,
  }];
}

function checkArguments(call: Plain, declared: Plain, path: Path): Finding[] {
  const given = itemsOf(get(call, "args")).length;
  const taken = itemsOf(get(declared, "args")).length;
  if (given <= taken) return [];
  return [{
    path: [...path, "args"],
    code: "conflict",
    message: `The function is declared with ${taken} arguments, ${given} are given`,
  }];
}

function checkProcess(config: Plain, load: Plain, path: Path): Finding[] {
  const id = get(load, "process");
  if (typeof id !== "string") return [];
  const processes = get(get(config, "simulate"), "processes");
  if (get(processes, id) !== undefined) return [];
  return [{
    path: [...path, "process"],
    code: "undeclared",
    message: `Process "${id}" is not declared under simulate.processes`,
    hint: () =>
      didYouMean(id, entriesOf(processes).map(([known]) => known)) ??
        `Declare it: ${id}: { pid: 42, comm: ${id} }`,
  }];
}

function checkWrite(config: Plain, write: Plain, path: Path): Finding[] {
  const findings = checkProcess(config, write, path);
  const reference = get(write, "user_event");
  if (typeof reference !== "string") return findings;
  const { event, finding } = findUserEvent(config, reference);
  if (finding) {
    return [...findings, { ...finding, severity: "error", path: [...path, "user_event"] }];
  }
  const fields = entriesOf(get(event, "fields")).map(([name]) => name);
  const unknown = entriesOf(get(write, "fields")).filter(([name]) => !fields.includes(name));
  return [
    ...findings,
    ...unknown.map(([name]): Finding => ({
      path: [...path, "fields", name],
      onKey: true,
      code: "undeclared",
      message: `user_event "${reference}" has no field "${name}"`,
      hint: () => didYouMean(name, fields) ?? `Its fields are ${fields.join(", ")}`,
    })),
  ];
}
