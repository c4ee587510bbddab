/** Tests that need a guest. */
import { it } from "node:test";
import { type KernelName, vmUnavailable } from "./kernels.ts";

/**
 * Declares a test that boots `kernel`. Where that cannot be done here the test is skipped, with the
 * reason in its name (Bun does not show the reason of a skip); with `CI=true` it fails instead.
 *
 * @param timeoutMs - limit on the whole test; each guest has its own besides
 */
export function vmTest(
  name: string,
  kernel: KernelName,
  test: (kernel: KernelName) => Promise<void>,
  timeoutMs = 300_000,
): void {
  const reason = vmUnavailable(kernel);
  if (reason === undefined) {
    it(name, { timeout: timeoutMs }, () => test(kernel));
  } else if (process.env.CI === "true") {
    it(name, () => {
      throw new Error(`Cannot boot: ${reason}`);
    });
  } else {
    it(`${name} (${reason})`, { skip: true });
  }
}
