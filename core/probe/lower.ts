import { DefinitionError } from "./error.ts";
import { type Fetch, type FetchExpression, formatFetchArg } from "./fetch_arg.ts";
import { type Arch, argumentRegister, argumentRegisterCount, stackArgument } from "./registers.ts";

/**
 * The argument with `$argN`, which the kernel does not have for uprobes, as the register of the
 * calling convention. Right at the entry of a function only; the same value if there is no `$argN`.
 *
 * @param text what was written, for the place of an error
 * @throws {DefinitionError} if an argument is not in a register.
 */
export function lowerForUprobe(
  expression: FetchExpression,
  arch: Arch,
  text: string = formatFetchArg(expression),
): FetchExpression {
  const fetch = lower(expression.fetch, arch, text);
  return fetch === expression.fetch ? expression : { ...expression, fetch };
}

function lower(fetch: Fetch, arch: Arch, text: string): Fetch {
  if (fetch.kind === "dereference") {
    const of = lower(fetch.of, arch, text);
    return of === fetch.of ? fetch : { ...fetch, of };
  }
  if (fetch.kind !== "argument") return fetch;
  const name = argumentRegister(fetch.index, arch);
  if (name !== undefined) return { kind: "register", name };

  const at = text.indexOf("$arg");
  if (fetch.index === 0) {
    throw new DefinitionError("Arguments are counted from 1", text, at, "Write $arg1");
  }
  throw new DefinitionError(
    `$arg${fetch.index} is past the ${argumentRegisterCount(arch)} arguments that are in registers`,
    text,
    at,
    `At the entry of a function it is ${stackArgument(fetch.index, arch)}`,
  );
}
