/** A `print fmt` that cannot be understood, or that needs what only the kernel has. */
export class PrintFmtError extends Error {
  /** Where in the text, in characters from its start. */
  readonly at: number;

  constructor(at: number, reason: string) {
    super(`Unsupported print fmt at character ${at + 1}: ${reason}`);
    this.name = "PrintFmtError";
    this.at = at;
  }
}
