import { createRequire } from 'node:module';
import llhttpWasm from 'undici/lib/llhttp/llhttp_simd-wasm.js';
import { describe, expect, it } from 'vitest';
import { createLlhttp, type Events, requestType, responseType } from './llhttp.ts';

/** Keeps what llhttp reports, as text. */
function recorder(noBody: 0 | 1 = 0) {
  const log: string[] = [];
  const events: Events = {
    onBegin: () => log.push('begin'),
    onTarget: (start, end) => log.push(`target ${start} ${end}`),
    onName: (start, end) => log.push(`name ${start} ${end}`),
    onValue: (start, end) => log.push(`value ${start} ${end}`),
    onHead: (status, upgrade, keepAlive) => {
      log.push(`head ${status} ${upgrade} ${keepAlive}`);
      return noBody;
    },
    onBody: (start, end) => log.push(`body ${start} ${end}`),
    onComplete: () => {
      log.push('complete');
      return true;
    },
  };
  return { log, events };
}

describe('llhttp as undici ships it', () => {
  it('has the exports that are used', () => {
    const module = new WebAssembly.Module(llhttpWasm);
    const names = Object.keys(
      new WebAssembly.Instance(module, {
        env: Object.fromEntries(
          [
            'wasm_on_message_begin',
            'wasm_on_url',
            'wasm_on_status',
            'wasm_on_header_field',
            'wasm_on_header_value',
            'wasm_on_headers_complete',
            'wasm_on_body',
            'wasm_on_message_complete',
          ].map((name) => [name, () => 0]),
        ),
      }).exports,
    );
    expect(names).toEqual(
      expect.arrayContaining([
        'memory',
        '_initialize',
        'malloc',
        'free',
        'llhttp_alloc',
        'llhttp_free',
        'llhttp_execute',
        'llhttp_resume',
        'llhttp_resume_after_upgrade',
        'llhttp_get_error_pos',
        'llhttp_get_error_reason',
        'llhttp_get_method',
        'llhttp_method_name',
        'llhttp_get_http_major',
        'llhttp_get_http_minor',
      ]),
    );
  });

  it('is pinned exactly', () => {
    const require = createRequire(import.meta.url);
    const { dependencies } = require('../../package.json') as { dependencies: { undici: string } };
    expect(dependencies.undici).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('reports a request as offsets into its chunk and pauses behind it', () => {
    const llhttp = createLlhttp();
    const parser = llhttp.alloc(requestType);
    const { log, events } = recorder();
    const request = 'POST /x HTTP/1.1\r\nA: b\r\nE:\r\nContent-Length: 2\r\n\r\nhi';
    expect(llhttp.execute(parser, events, Buffer.from(`${request}GET `))).toBe('paused');
    expect(llhttp.consumed(parser)).toBe(request.length);
    expect(log).toEqual([
      'begin',
      'target 5 7',
      'name 18 19',
      'value 21 22',
      // An empty value is reported behind the CRLF of its line; Parser counts on it.
      'name 24 25',
      'value 28 28',
      'name 28 42',
      'value 44 45',
      'head 0 false true',
      'body 49 51',
      'complete',
    ]);
    expect(llhttp.method(parser)).toBe('POST');
    expect(llhttp.version(parser)).toBe(11);
    llhttp.free(parser);
    expect(llhttp.live()).toBe(0);
  });

  it('goes on with the next message after a pause, and after an upgrade that is not made', () => {
    const llhttp = createLlhttp();
    const parser = llhttp.alloc(requestType);
    const { log, events } = recorder();
    const first = 'GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
    events.onComplete = () => false;
    expect(llhttp.execute(parser, events, Buffer.from(`${first}GET /2 `))).toBe('paused');
    expect(log.at(-1)).toBe('head 0 true true');
    expect(llhttp.consumed(parser)).toBe(first.length);
    events.onComplete = () => true;
    expect(llhttp.execute(parser, events, Buffer.from('GET /2 HTTP/1.1\r\n\r\n'))).toBe('paused');
    expect(log.at(-1)).toBe('head 0 false true');
    llhttp.free(parser);
  });

  it('leaves the body of an answer to HEAD out when it is told so', () => {
    const llhttp = createLlhttp();
    const parser = llhttp.alloc(responseType);
    const { log, events } = recorder(1);
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    expect(llhttp.execute(parser, events, Buffer.from(head))).toBe('paused');
    expect(log).toContain('head 200 false true');
    expect(log.at(-1)).toBe('complete');
    llhttp.free(parser);
  });

  it('says where and why it stopped', () => {
    const llhttp = createLlhttp();
    const parser = llhttp.alloc(requestType);
    const { events } = recorder();
    expect(llhttp.execute(parser, events, Buffer.from('GET / HTTP/1.1\r\nA : b\r\n'))).toBe(
      'broken',
    );
    expect(llhttp.consumed(parser)).toBe(17);
    expect(llhttp.reason(parser)).toBe('Invalid header token');
    llhttp.free(parser);
  });

  it('takes chunks that are larger than its input buffer, between parsers that take turns', () => {
    const llhttp = createLlhttp();
    const size = 5_000_000;
    const parsers = [1, 2, 3].map(() => llhttp.alloc(requestType));
    const logs = parsers.map(() => recorder());
    const head = `POST / HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`;
    parsers.forEach((parser, i) => {
      expect(llhttp.execute(parser, logs[i]!.events, Buffer.from(head))).toBe('more');
    });
    parsers.forEach((parser, i) => {
      expect(llhttp.execute(parser, logs[i]!.events, Buffer.alloc(size))).toBe('paused');
      expect(logs[i]!.log.slice(-2)).toEqual([`body 0 ${size}`, 'complete']);
    });
    for (const parser of parsers) llhttp.free(parser);
    expect(llhttp.live()).toBe(0);
  });

  it('does not grow by parsers that come and go', () => {
    const llhttp = createLlhttp();
    const first = llhttp.alloc(requestType);
    llhttp.free(first);
    for (let i = 0; i < 10_000; i++) llhttp.free(llhttp.alloc(requestType));
    expect(Math.abs(llhttp.alloc(requestType) - first)).toBeLessThan(65_536);
    expect(llhttp.live()).toBe(1);
  });
});
