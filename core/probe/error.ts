/**
 * A probe definition, or a part of one, that is not valid.
 *
 * `message` says what is wrong, `text` is what was read, `offset` the place in it (UTF-16 code
 * units, 0 to `text.length`), and `hint` what would help.
 */
export class DefinitionError extends Error {
  readonly text: string;
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, text: string, offset = 0, hint?: string) {
    super(message);
    this.name = "DefinitionError";
    this.text = text;
    this.offset = offset;
    this.hint = hint;
  }
}
