import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { nghttp2Sha256, nghttp2Wasm } from './generated/wasm.ts';
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
afterEach(() => {
  for (const session of open.splice(0)) session.destroy();
});

/** What a session makes of these chunks, as text. */
function storyOf(chunks: Buffer[], answers: boolean) {
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
  for (const chunk of chunks) {
    wire.emit('data', chunk);
    most = Math.max(most, session.allocated);
  }
  Object.defineProperty(wire, 'writableNeedDrain', { value: false });
  session.flush();
  const sent = Buffer.concat(wire.sent);
  return { story, sent, most, session, wrong: () => wrong };
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing. */
function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

/** :method GET, :scheme http, :path /, :authority a, and more. */
function headOf(...fields: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]), ...fields]);
}

const settings = frame(4, 0, 0, Buffer.alloc(0));

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
const frames = fc
  .array(fc.oneof({ weight: 20, arbitrary: step }, { weight: 1, arbitrary: strangeStep }), {
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

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort(
    (a, b) => a - b,
  );
  return sorted.slice(1).map((to, i) => bytes.subarray(sorted[i], to));
}

test('the module is the one that was built', () => {
  const digest = createHash('sha256').update(Buffer.from(nghttp2Wasm, 'base64')).digest('hex');
  expect(digest).toBe(nghttp2Sha256);
});

test.each([true, false])('the same whatever the chunks (answers: %s)', (answers) => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(20_000), { maxLength: 40 }), (bytes, places) => {
      const whole = storyOf([bytes], answers);
      const parts = storyOf(cut(bytes, places), answers);
      expect(parts.story).toEqual(whole.story);
      expect(parts.sent.equals(whole.sent)).toBe(true);
      for (const session of open.splice(0)) session.destroy();
    }),
    { numRuns: 300 },
  );
});

test('the frames of these tests are understood', () => {
  const samples = fc.sample(frames, { numRuns: 20, seed: 1 });
  const stories = samples.flatMap((bytes) => storyOf([bytes], false).story);
  expect(stories.filter((line) => line.endsWith('opens')).length).toBeGreaterThan(25);
});

test('bytes that are changed, and bytes without sense', () => {
  const changed = fc
    .tuple(frames, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }))
    .map(([valid, changes]) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  const random = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.concat([preface, bytes]));
  fc.assert(
    fc.property(
      fc.oneof(changed, random),
      fc.array(fc.nat(20_000), { maxLength: 10 }),
      (bytes, places) => {
        const { most, session } = storyOf(cut(bytes, places), true);
        expect(most).toBeLessThanOrEqual(2_000_000);
        session.destroy();
      },
    ),
    { numRuns: 500 },
  );
});

test('a chunk for which the memory of the module has to grow', () => {
  const size = { length: 100 };
  const list = Array.from(size, (_, i) => frame(0, 0, 2 * i + 1, Buffer.alloc(9000)));
  const opened = Array.from({ length: 1500 }, (_, i) => frame(1, 4, 2 * i + 1, headOf()));
  const { session, story } = storyOf(
    [preface, settings, Buffer.concat([...opened, ...list])],
    false,
  );
  expect(story.filter((line) => line.endsWith('opens'))).toHaveLength(1500);
  expect(session.ending).toBe(false);
});

test('no preface', async () => {
  const { session, wrong } = storyOf([Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')], true);
  await expect.poll(() => session.closed).toBe(true);
  expect(wrong()?.message).toBe('Cannot go on with an HTTP/2 session: nghttp2 says -903');
});

/** The code of the last GOAWAY in what was sent; undefined: none. */
function goawayIn(sent: Buffer): number | undefined {
  let code: number | undefined;
  for (let at = 0; at + 9 <= sent.length; at += 9 + sent.readUIntBE(at, 3)) {
    if (sent[at + 3] === 7) code = sent.readUInt32BE(at + 13);
  }
  return code;
}

const head = (stream: number, ...fields: Buffer[]) => frame(1, 5, stream, headOf(...fields));

test.each([
  [
    'resets',
    Array.from({ length: 1500 }, (_, i) => [
      head(2 * i + 1),
      frame(3, 0, 2 * i + 1, Buffer.alloc(4)),
    ]).flat(),
  ],
  [
    'heads that are refused',
    Array.from({ length: 1500 }, (_, i) => head(2 * i + 1, field('te', 'b'))),
  ],
  [
    'CONTINUATION frames',
    [
      frame(1, 0, 1, headOf()),
      ...Array.from({ length: 20 }, () => frame(9, 0, 1, field('a', 'b'))),
    ],
  ],
  [
    'windows that grow by nothing',
    Array.from({ length: 1500 }, (_, i) => [
      frame(1, 4, 2 * i + 1, headOf()),
      frame(8, 0, 2 * i + 1, Buffer.alloc(4)),
    ]).flat(),
  ],
])('floods of %s end the connection', async (_, list) => {
  const { session, sent, most } = storyOf([Buffer.concat([preface, settings, ...list])], false);
  expect(most).toBeLessThan(2_000_000);
  await expect.poll(() => session.closed || (goawayIn(sent) ?? 0) > 0).toBe(true);
});

test.each([
  ['pings', frame(6, 0, 0, Buffer.alloc(8))],
  ['settings', settings],
])('a flood of %s of a peer that does not read', async (_, one) => {
  const { session, most, wrong } = storyOf(
    [preface, settings, Buffer.concat(Array.from({ length: 3000 }, () => one))],
    false,
  );
  expect(most).toBeLessThan(2_000_000);
  await expect.poll(() => session.closed).toBe(true);
  expect(wrong()?.message).toContain('-904');
});

test('few bytes that stand for many fields are read in parts', () => {
  // One field of 4,000 bytes is put into the table, and then named by a byte 16 times a head.
  const value = 'x'.repeat(3900);
  const entry = Buffer.concat([
    Buffer.from([0x40, 1]),
    Buffer.from('a'),
    Buffer.from([0x7f, 0xbd, 0x1d]),
    Buffer.from(value),
  ]);
  const list = Array.from({ length: 400 }, (_, i) =>
    head(2 * i + 1, i === 0 ? entry : Buffer.alloc(30, 0xbe)),
  );
  const { story, most } = storyOf([Buffer.concat([preface, settings, ...list])], true);
  expect(story.filter((line) => line.endsWith('opens'))).toHaveLength(400);
  expect(story.join('').length).toBeGreaterThan(40_000_000);
  expect(most).toBeLessThan(1_000_000);
});
