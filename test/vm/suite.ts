/** Tests that need a guest. */
import { it } from "node:test";
import { type KernelName, vmUnavailable } from "./kernels.ts";

/**
 * Declares a test that boots `kernel`. Where that cannot be done here the test is skipped, and the
 * reason shown; with `CI=true` it fails instead.
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
  const skip = reason !== undefined && process.env.CI !== "true" ? reason : false;
  it(name, { skip, timeout: timeoutMs }, () => {
    if (reason !== undefined) throw new Error(`Cannot boot: ${reason}`);
    return test(kernel);
  });
}
