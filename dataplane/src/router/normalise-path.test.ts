import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalisePath } from './index.ts';

describe('normalisePath', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a/b.c/d', '/a/b.c/d'],
    ['/.well-known/acme', '/.well-known/acme'],
    ['/...', '/...'],
    ['/..a/.b', '/..a/.b'],
    ["/a;v=1/b,c/$&'()*+=:@!", "/a;v=1/b,c/$&'()*+=:@!"],
    ['/{a}|^`<">[]', '/{a}|^`<">[]'],
    ['/%7Euser/%41', '/~user/A'],
    ['/a%2db%5F%2E', '/a-b_.'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%20b%0a', '/a%20b%0A'],
    ['/a%252e%252e/b', '/a%252e%252e/b'],
    ['/a//b', '/a/b'],
    ['//', '/'],
    ['//a///b//', '/a/b/'],
    ['/./a', '/a'],
    ['/a/.', '/a/'],
    ['/a/./b', '/a/b'],
    ['/.', '/'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/b/../', '/a/'],
    ['/a/b/../c', '/a/c'],
    ['/a/b/c/./../../g', '/a/g'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e', '/'],
    ['/a//../b', '/a/b'],
    ['/a;x/../b', '/b'],
    ['/a/..;', undefined],
    ['/a/..;x=1/b', undefined],
    ['/a/..%3bx/b', undefined],
    ['/a/..%2fb', undefined],
    ['/a/%2e%2e%2Fb', undefined],
    ['/a%2f..', undefined],
    ['/a%2F%2e./b', undefined],
    ['/..', undefined],
    ['/../a', undefined],
    ['/a/../..', undefined],
    ['/a/../../b', undefined],
    ['/%2e%2e', undefined],
    ['/%', undefined],
    ['/%4', undefined],
    ['/%4g', undefined],
    ['/%%41', undefined],
    ['/a%00', undefined],
    ['/a\\b', undefined],
    ['/a%5cb', undefined],
    ['/a%5Cb', undefined],
    ['/a#b', undefined],
    ['/a?b', undefined],
    ['/a b', undefined],
    ['/a\tb', undefined],
    ['/a\u0000', undefined],
    ['/a\u007f', undefined],
    ['/caf\u00e9', undefined],
    ['/\u2024\u2024/', undefined],
    ['a', undefined],
    ['*', undefined],
    ['../a', undefined],
  ])('%j becomes %j', (path, expected) => {
    expect(normalisePath(path)).toBe(expected);
  });

  const piece = fc.oneof(
    fc.constantFrom(
      '/',
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%2f',
      '%5c',
      '%',
      '%00',
      ';',
      '%3b',
      '\\',
      'a',
    ),
    fc.constantFrom('%41', '%7e', '%c3%A9', '//', '/../', '/./', '#', '%252e', '~', 'é', ' '),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const anyPath = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

  it('is idempotent and yields only safe paths', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const normal = normalisePath(path);
        if (normal === undefined) return;
        expect(normalisePath(normal)).toBe(normal);
        expect(normal).toMatch(/^\/[\x21-\x7e]*$/);
        expect(normal).not.toMatch(/\/\/|[\\#?]|%5C|%00|%[0-9A-F]?[a-f]|%(?![0-9A-F]{2})/);
        // Nobody who decodes escapes or drops path parameters finds a parent directory in it.
        const segments = decodeURIComponent(normal.replace(/%(?!2F|3B)/g, '_')).split('/');
        for (const segment of segments) expect(segment.split(';')[0]).not.toBe('..');
        for (const segment of normal.split('/')) expect(segment).not.toBe('.');
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with the URL parser on what dot segments mean', () => {
    const segment = fc.constantFrom('a', 'b', '.', '..', '%2e', '.%2E', 'c.d', '...');
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
        const path = `/${segments.join('/')}`;
        const normal = normalisePath(path);
        if (normal === undefined) return;
        expect(normal).toBe(new URL(path, 'http://a').pathname);
      }),
    );
  });
});
