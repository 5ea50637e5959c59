import { describe, expect, test } from 'vitest';
import { assertClean } from './load.ts';
import { parseWrk } from './wrk.ts';
import { wrkScript } from './wrk-script.ts';

const noise = 'Running 4s test @ http://127.0.0.1:9000/\n  1 threads and 64 connections\n';
const clean =
  'wrk-result requests=200000 duration_us=4000000 p99_us=1234 connect=0 read=0 write=0 timeout=0 status=0\n';

describe('parseWrk', () => {
  test('reads the exact figures out of the report', () => {
    expect(parseWrk(noise + clean)).toEqual({
      requests: 200000,
      seconds: 4,
      rps: 50000,
      p99Ms: 1.234,
      errors: [],
    });
  });

  test('lists every kind of error that was counted', () => {
    const line = clean.replace('read=0', 'read=2').replace('status=0', 'status=7');
    expect(parseWrk(line).errors).toEqual([
      { kind: 'read', count: 2 },
      { kind: 'status >= 400', count: 7 },
    ]);
  });

  test.each([
    ['no report', noise, /line is missing/],
    ['a field that is missing', clean.replace(/p99_us=\S+ /, ''), /no number "p99_us"/],
    ['a field that is no number', clean.replace('read=0', 'read=nan'), /no number "read"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseWrk(text)).toThrow(message);
  });
});

describe('assertClean', () => {
  test('accepts a run without errors', () => {
    expect(() => assertClean('nginx', parseWrk(clean))).not.toThrow();
  });

  test.each([
    ['status=0', 'status=7', /"nginx": beside 200000 requests there were 7 x status >= 400/],
    ['timeout=0', 'timeout=1', /1 x timeout/],
    ['requests=200000', 'requests=0', /no request was answered/],
  ])('refuses %s turned into %s', (from, to, message) => {
    expect(() => assertClean('nginx', parseWrk(clean.replace(from, to)))).toThrow(message);
  });
});

describe('wrkScript', () => {
  test('leaves the sending of a single path to wrk', () => {
    expect(wrkScript({ connections: 1, paths: ['/a'] })).not.toContain('request =');
  });

  test('sends several paths in turn', () => {
    const script = wrkScript({ connections: 1, paths: ['/a', '/b'] });
    expect(script).toContain('local paths = { "/a", "/b" }');
    expect(script).toContain('request = function()');
  });

  test('sends tokens in turn, over all paths, from the one on that its argument says', () => {
    const lot = {
      file: '/tmp/a b/tokens.txt',
      spare: '',
      publicKeyFile: '',
      jwks: '',
      forgeries: new Map<string, string>(),
    };
    const script = wrkScript({ connections: 1, paths: ['/a'] }, lot);
    expect(script).toContain('io.lines("/tmp/a b/tokens.txt")');
    expect(script).toContain('wrk.headers["Authorization"] = "Bearer " .. token');
    expect(script).toContain('turn = (tonumber(args[1]) or 0) % #requests');
    expect(script).toContain('request = function()');
  });

  test('asks for a connection a request', () => {
    const load = { connections: 1, paths: ['/a'] };
    expect(wrkScript({ ...load, perRequest: true })).toContain(
      'wrk.headers["connection"] = "close"',
    );
    expect(wrkScript(load)).not.toContain('close');
  });

  test('sets method, headers and body, quoted for Lua', () => {
    const load = { connections: 1, paths: ['/a'], method: 'POST', headers: { 'x-a': '"1"' } };
    const script = wrkScript({ ...load, body: 'é\n\\' });
    expect(script).toContain('wrk.method = "POST"');
    expect(script).toContain('wrk.headers["x-a"] = "\\0341\\034"');
    expect(script).toContain('wrk.body = "\\195\\169\\010\\092"');
  });
});
