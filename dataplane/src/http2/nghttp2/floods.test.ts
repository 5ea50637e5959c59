import { afterEach, expect, test } from 'vitest';
import { closeAll, field, frame, headOf, preface, settings, storyOf } from './strange-frames.ts';

afterEach(closeAll);

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
