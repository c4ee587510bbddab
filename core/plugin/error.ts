/** A plugin cannot be used. */
export class PluginError extends Error {
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PluginError";
    this.hint = hint;
  }
}
