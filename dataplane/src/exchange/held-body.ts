import { bodyText } from '../http1/body-text.ts';
import type { Parser } from '../http1/parser.ts';

/** Bytes of body that are held for another try, at most. */
const mostHeld = 65_536;

/** The body of a request as it was sent so far, framed, in case it has to be sent again. */
export class HeldBody {
  /** latin1 */
  text = '';
  readonly #chunked: boolean;
  /** There was too much of it. */
  lost = false;

  constructor(chunked: boolean) {
    this.#chunked = chunked;
  }

  /** Takes what the parser found in the chunk. `sent`: it need not be held, as it is on its way. */
  take(parser: Parser, chunk: Buffer, sent: boolean) {
    if (this.lost) return;
    this.text += bodyText(parser, chunk, this.#chunked);
    if (this.text.length <= mostHeld || !sent) return;
    this.lost = true;
    this.text = '';
  }
}
