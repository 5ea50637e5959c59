import { connectTo } from './client.ts';
import {
  type Frame,
  flag,
  frame,
  frameTypes,
  preface,
  readFrames,
  setting,
  settingsFrame,
  statusIn,
} from './http2-frames.ts';
import { Peer } from './peer.ts';

/** A client that sends any frames it likes over HTTP/2, and sees every frame that comes back. */
export class FrameClient {
  readonly peer: Peer;
  /** Frames that came, oldest first, without what their DATA said. */
  readonly frames: Frame[] = [];

  constructor(peer: Peer) {
    this.peer = peer;
  }

  send(...frames: Buffer[]) {
    this.peer.write(Buffer.concat(frames));
  }

  #take() {
    const { frames, end } = readFrames(this.peer.bytes);
    this.peer.bytes = this.peer.bytes.subarray(end);
    for (const taken of frames) {
      const payload = taken.type === frameTypes.data ? Buffer.alloc(0) : Buffer.from(taken.payload);
      this.frames.push({ ...taken, payload });
    }
  }

  /** Waits until `check` gives something. @throws Error when it cannot any more, or not in time. */
  until<T>(what: string, check: (frames: Frame[]) => T | undefined | false): Promise<T> {
    return this.peer.until(what, () => {
      this.#take();
      return check(this.frames);
    });
  }

  /** The status of a stream, or "reset N" by the code of its RST_STREAM. */
  outcome(stream: number): Promise<string> {
    return this.until(`the end of stream ${stream}`, (frames) => {
      const of = frames.filter((got) => got.stream === stream);
      const ended = of.some(({ type, flags }) => type <= 1 && flags & flag.endStream);
      const reset = of.find(({ type }) => type === frameTypes.resetStream);
      const head = of.findLast(({ type }) => type === frameTypes.headers);
      if (head && ended) return String(statusIn(head.payload));
      if (reset) return `reset ${reset.payload.readUInt32BE()}`;
      const goaway = this.#goaway();
      // One without an error lets streams end.
      return goaway !== 'goaway 0' && goaway;
    });
  }

  #goaway(): string | undefined {
    const goaway = this.frames.findLast(({ type }) => type === frameTypes.goaway);
    return goaway && `goaway ${goaway.payload.readUInt32BE(4)}`;
  }

  /** Waits for the end of the connection. Returns the code of the last GOAWAY; -1: there was none. */
  async closed(): Promise<number> {
    await this.peer.close();
    this.#take();
    const text = this.#goaway();
    return text === undefined ? -1 : Number(text.slice('goaway '.length));
  }

  /** Waits until everything that was sent has been read. */
  async ping() {
    const payload = Buffer.from('are here');
    const before = this.frames.length;
    this.send(frame(frameTypes.ping, 0, 0, payload));
    await this.until('the answer to a PING', (frames) =>
      frames.slice(before).some(({ type, flags }) => type === frameTypes.ping && flags & flag.ack),
    );
  }

  close() {
    this.peer.socket.destroy();
  }
}

/** Opens a connection by prior knowledge, or speaks on one that is open, and exchanges settings. */
export async function connectFrames(
  to: number | Peer,
  ...settings: number[]
): Promise<FrameClient> {
  const client = new FrameClient(to instanceof Peer ? to : await connectTo(to));
  client.send(preface, settingsFrame(setting.headerTableSize, 0, ...settings));
  await client.until('settings', (frames) => frames.some(({ type }) => type === 4));
  client.send(frame(frameTypes.settings, flag.ack, 0));
  return client;
}
