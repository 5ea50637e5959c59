import { drops, type Edits } from './edits.ts';
import { Field, type FieldCode } from './field-names.ts';
import type { Message } from './message.ts';

/**
 * The field lines of the head in `message` whose code is in `keep`, as few slices as possible: runs of
 * kept lines are copied together. `keep` is a bit set of FieldCode. With `from` the copy begins there:
 * at the start line, when that is passed on as it came.
 */
export function keptFields(
  message: Message,
  codes: readonly FieldCode[],
  keep: number,
  edits: Edits,
  from = -1,
): string {
  const { text, spans, fieldCount } = message;
  let out = '';
  let run = from;
  for (let i = 0; i < fieldCount; i++) {
    const start = spans[4 * i] ?? 0;
    const code = codes[i] ?? Field.dropped;
    const kept =
      (keep & (1 << code)) !== 0 &&
      (edits.lengths === 0 || !drops(edits, text, start, spans[4 * i + 1] ?? 0));
    if (kept) {
      if (run < 0) run = start;
    } else if (run >= 0) {
      // Up to the start of the line that is left out: includes the CRLF of the last kept one.
      out += text.slice(run, start);
      run = -1;
    }
  }
  if (run >= 0) out += text.slice(run);
  return out;
}

/** Bit set of codes for `keptFields`. */
export function codeSet(...codes: FieldCode[]): number {
  let set = 0;
  for (const code of codes) set |= 1 << code;
  return set;
}
