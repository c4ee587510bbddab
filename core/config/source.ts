/** A place in a text: both count from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A range of a text, in UTF-16 units from its start; `end` is the first unit after it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text with its name, which tells the position of an offset. */
export class Source {
  readonly file: string;
  readonly text: string;
  #starts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The position of `offset`, which is brought into the text if it is not in it. */
  positionAt(offset: number): Position {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const starts = this.#starts ??= lineStarts(this.text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: countCharacters(this.text, starts[low], at) + 1 };
  }
}

/** Offsets at which lines start. Lines end as in YAML 1.2, section 5.4: LF, CR LF or CR. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/** The lines of `text`, without their ends. */
export function splitLines(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

/** Characters, not UTF-16 units, of `text` from `start` to `end`. */
function countCharacters(text: string, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}
