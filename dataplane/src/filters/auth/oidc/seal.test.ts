import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { piecesOf, readPieces } from './cookies.ts';
import { createSeal } from './seal.ts';

const secret = Buffer.alloc(32, 7);
const seal = createSeal(secret, 'test');

describe('what is sealed', () => {
  it('is opened again', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        expect(seal.open(seal.seal(value))).toEqual(value);
      }),
    );
  });

  it('never looks the same twice, and never as it is', () => {
    expect(seal.seal('sesame')).not.toBe(seal.seal('sesame'));
    expect(Buffer.from(seal.seal('sesame'), 'base64url').toString('latin1')).not.toContain(
      'sesame',
    );
  });

  it('is not opened by another secret or for another purpose', () => {
    const sealed = seal.seal('sesame');
    expect(createSeal(Buffer.alloc(32, 8), 'test').open(sealed)).toBeUndefined();
    expect(createSeal(secret, 'other').open(sealed)).toBeUndefined();
  });

  it('is not opened once a bit of it has changed', () => {
    const bytes = Buffer.from(seal.seal('sesame'), 'base64url');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(seal.open(changed.toString('base64url'))).toBeUndefined();
      }),
    );
  });

  it('is nothing that anybody makes up', () => {
    fc.assert(fc.property(fc.string(), (text) => seal.open(text) === undefined));
  });
});

describe('pieces of a cookie', () => {
  const named = (pieces: string[]) => new Map(pieces.map((piece, i) => [String(i), piece]));

  it('make up what was cut', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[\w-]+$/),
        fc.integer({ min: 1, max: 200 }),
        (text, times) => {
          const all = text.repeat(times).slice(0, 15_200);
          const pieces = piecesOf(all)!;
          for (const piece of pieces) expect(piece.length).toBeLessThan(3900);
          expect(readPieces(named(pieces), String)).toBe(all);
        },
      ),
    );
  });

  it('are not cut from what is too long', () => {
    expect(piecesOf('x'.repeat(15_201))).toBeUndefined();
  });

  it('are nothing without all of them', () => {
    const pieces = piecesOf('x'.repeat(10_000))!;
    expect(pieces).toHaveLength(3);
    for (const [i] of pieces.entries()) {
      expect(readPieces(named(pieces.toSpliced(i, 1, '')), String)).not.toBe('x'.repeat(10_000));
    }
    expect(readPieces(new Map([['0', '2.abc']]), String)).toBeUndefined();
    expect(readPieces(new Map([['0', 'abc']]), String)).toBeUndefined();
  });
});
