import { bodyText } from '../http1/body-text.ts';
import type { Message } from '../http1/message.ts';

/** Bytes of body that are held for another try, at most. */
const mostHeld = 65_536;

/** The body of a request as it was sent so far, in case it has to be sent again. */
export class HeldBody {
  /** latin1, without framing. */
  text = '';
  /** There was too much of it. */
  lost = false;

  /** Takes what the message found in the chunk. `sent`: it need not be held, as it is on its way. */
  take(message: Message, chunk: Buffer, sent: boolean) {
    if (this.lost) return;
    this.text += bodyText(message, chunk, false);
    if (this.text.length <= mostHeld || !sent) return;
    this.lost = true;
    this.text = '';
  }
}
