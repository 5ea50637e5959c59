import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { nghttp2Sha256, nghttp2Wasm } from './generated/wasm.ts';
import { nghttp2OfThread } from './nghttp2.ts';
import {
  closeAll,
  field,
  frame,
  frames,
  headOf,
  preface,
  settings,
  storyOf,
} from './strange-frames.ts';

afterEach(closeAll);

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
      // What breaks the connection takes back what it came with.
      fc.pre(!whole.failing && !parts.failing);
      expect(parts.story).toEqual(whole.story);
      expect(parts.sent.equals(whole.sent)).toBe(true);
      closeAll();
    }),
    { numRuns: 300 },
  );
});

test('the frames of these tests are understood', () => {
  const samples = fc.sample(frames, { numRuns: 20, seed: 1 });
  const stories = samples.flatMap((bytes) => storyOf([bytes], false).story);
  expect(stories.filter((line) => line.endsWith('opens')).length).toBeGreaterThan(10);
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

test('a trap is the end of nothing but its call', () => {
  const { story, wire } = storyOf([preface, settings], true);
  const nghttp2 = nghttp2OfThread();
  expect(() => nghttp2.exports.receive(0x7fff_ff00, 1)).toThrow();
  nghttp2.trapped();
  wire.emit('data', frame(1, 5, 1, headOf(field('a', 'b'))));
  expect(story[0]).toBe('1 opens');
  expect(nghttp2OfThread()).not.toBe(nghttp2);
  expect(storyOf([preface, settings, frame(1, 5, 1, headOf())], true).story[0]).toBe('1 opens');
});
