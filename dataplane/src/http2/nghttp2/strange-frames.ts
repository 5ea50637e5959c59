import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { nghttp2OfThread } from './nghttp2.ts';
import { Session } from './session.ts';
import { ownerOf, Recorded, testLimits } from './testing.ts';

/** A socket whose input is what a test says, at once. */
class Wire extends Duplex {
  readonly sent: Buffer[] = [];
  override _read() {
    // Chunks are emitted.
  }
  override _write(chunk: Buffer, _: unknown, done: () => void) {
    this.sent.push(chunk);
    done();
  }
}

const open: Session[] = [];

export function closeAll() {
  for (const session of open.splice(0)) session.destroy();
}

/** What a session makes of these chunks, as text. */
export function storyOf(chunks: Buffer[], answers: boolean) {
  const story: string[] = [];
  const wire = new Wire();
  // It takes nothing: what is sent in between must not change what comes.
  Object.defineProperty(wire, 'writableNeedDrain', { value: true, configurable: true });
  let wrong: Error | undefined;
  const session = new Session(
    wire,
    'server',
    { ...testLimits, mostMemory: 2_000_000 },
    ownerOf(
      (stream) => {
        const recorded = new Recorded();
        story.push(`${stream.id} opens`);
        recorded.onHeadDone = ({ text }) => story.push(`${stream.id} ${text}`);
        recorded.onWhole = () => {
          story.push(`${stream.id} ${recorded.body} ${recorded.trailers}`);
          if (answers) stream.respond(200, 'a: b\r\n', Buffer.from('ok'), true);
        };
        void recorded.closed.then((code) => story.push(`${stream.id} closed ${code}`));
        return recorded;
      },
      {
        onGoaway: (last, code) => story.push(`goaway ${last} ${code}`),
        onClose: (error) => {
          wrong = error;
        },
      },
    ),
  );
  open.push(session);
  let most = 0;
  let failing = false;
  for (const chunk of chunks) {
    wire.emit('data', chunk);
    most = Math.max(most, session.allocated);
    failing ||= nghttp2OfThread().failing || session.ending;
  }
  Object.defineProperty(wire, 'writableNeedDrain', { value: false });
  session.flush();
  const sent = Buffer.concat(wire.sent);
  return { story, sent, most, failing, session, wire, wrong: () => wrong };
}

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

/** :method GET, :scheme http, :path /, :authority a, and more. */
export function headOf(...fields: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]), ...fields]);
}

export const settings = frame(4, 0, 0, Buffer.alloc(0));

type Step = (opened: number[]) => Buffer;

/** The stream of a step: one that was opened. */
const of = (opened: readonly number[], pick: number) => opened[pick % (opened.length || 1)] ?? 1;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.boolean(), fc.string({ maxLength: 100 })).map(
    ([end, value]): Step =>
      (opened) => {
        opened.push(2 * opened.length + 1);
        const plain = value.replace(/[^ -~]/g, '').trim();
        const fields = headOf(field('x-a', plain), field('cookie', 'a=b'), field('cookie', 'c=d'));
        return frame(1, end ? 5 : 4, opened.at(-1) ?? 1, fields);
      },
  ),
  fc.tuple(fc.nat(9), fc.boolean(), fc.uint8Array({ maxLength: 300 })).map(
    ([n, end, bytes]): Step =>
      (opened) =>
        frame(0, end ? 1 : 0, of(opened, n), bytes),
  ),
  fc.nat(9).map(
    (n): Step =>
      (opened) =>
        frame(3, 0, of(opened, n), Buffer.from([0, 0, 0, 8])),
  ),
  fc.nat(9).map(
    (n): Step =>
      (opened) =>
        frame(1, 5, of(opened, n), field('x-trailer', '1')),
  ),
  fc.nat(9).map(
    (n): Step =>
      (opened) =>
        frame(8, 0, of(opened, n), Buffer.from([0, 0, 1, 0])),
  ),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map(
    (bytes): Step =>
      () =>
        frame(6, 0, 0, bytes),
  ),
  fc.constant((): Buffer => settings),
);

/** No GOAWAY: nghttp2 may stop reading between two calls then. */
const strangeStep: fc.Arbitrary<Step> = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12),
    fc.nat(255),
    fc.nat(9),
    fc.uint8Array({ maxLength: 60 }),
  )
  .map(
    ([type, flags, stream, bytes]): Step =>
      () =>
        frame(type, flags, stream, bytes),
  );

/** Frames that make sense, mostly. */
export const frames = fc
  .array(fc.oneof({ weight: 60, arbitrary: step }, { weight: 1, arbitrary: strangeStep }), {
    minLength: 5,
    maxLength: 40,
    size: 'max',
  })
  .map((steps) => {
    const opened: number[] = [];
    const first = frame(1, 4, 1, headOf());
    opened.push(1);
    return Buffer.concat([preface, settings, first, ...steps.map((one) => one(opened))]);
  });
