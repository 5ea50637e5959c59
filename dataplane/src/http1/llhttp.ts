import llhttpWasm from 'undici/lib/llhttp/llhttp_simd-wasm.js';

/**
 * llhttp, the HTTP/1.1 parser of Node, as the WebAssembly module that undici ships. It is the only
 * code that reads HTTP/1.1 bytes from strangers; undici is pinned exactly and the exports are tested.
 */
type Exports = {
  memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(size: number): number;
  free(pointer: number): void;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_resume(parser: number): void;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
};

/** The events of one llhttp_execute call, addressed to the parser that runs. Offsets are into its chunk. */
export type Events = {
  onBegin(): void;
  onTarget(start: number, end: number): void;
  onName(start: number, end: number): void;
  onValue(start: number, end: number): void;
  /** Returns 1 when no body follows whatever the head says (an answer to HEAD). */
  onHead(status: number, upgrade: boolean, keepAlive: boolean): 0 | 1;
  onBody(start: number, end: number): void;
  /** Returns true to pause behind the message. */
  onComplete(): boolean;
};

export type ParserType = 1 | 2;
export const requestType: ParserType = 1;
export const responseType: ParserType = 2;

/** llhttp_errno: paused by a callback. */
const paused = 21;
/** llhttp_errno: paused because the rest may be another protocol; callers decide that it is not. */
const pausedUpgrade = 22;

const initialInput = 65_536;

export type Outcome = 'more' | 'paused' | 'broken';

/** One WebAssembly instance with its input buffer; a thread needs just one. */
export type Llhttp = ReturnType<typeof createLlhttp>;

let shared: Llhttp | undefined;

/** The instance of this thread, made at first use. */
export function llhttpOfThread(): Llhttp {
  shared ??= createLlhttp();
  return shared;
}

export function createLlhttp() {
  let current: Events | undefined;
  let input = 0;
  let capacity = initialInput;
  let memory = new Uint8Array();

  const running = (): Events => {
    if (!current) throw new Error('Cannot take an event of llhttp: no parser runs');
    return current;
  };
  const onTarget = (_parser: number, at: number, length: number) => {
    running().onTarget(at - input, at - input + length);
    return 0;
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(llhttpWasm), {
    env: {
      wasm_on_message_begin: () => {
        running().onBegin();
        return 0;
      },
      wasm_on_url: onTarget,
      wasm_on_status: onTarget,
      // One function each: called through a table of names they would be megamorphic (3 % of all).
      wasm_on_header_field: (_parser: number, at: number, length: number) => {
        running().onName(at - input, at - input + length);
        return 0;
      },
      wasm_on_header_value: (_parser: number, at: number, length: number) => {
        running().onValue(at - input, at - input + length);
        return 0;
      },
      wasm_on_headers_complete: (
        _parser: number,
        status: number,
        upgrade: number,
        keepAlive: number,
      ) => running().onHead(status, upgrade === 1, keepAlive === 1),
      wasm_on_body: (_parser: number, at: number, length: number) => {
        running().onBody(at - input, at - input + length);
        return 0;
      },
      wasm_on_message_complete: () => (running().onComplete() ? paused : 0),
    },
  });
  const exports = instance.exports as Exports;
  exports._initialize();
  input = exports.malloc(capacity);
  memory = new Uint8Array(exports.memory.buffer);

  function text(pointer: number): string {
    let end = pointer;
    while (memory[end]) end++;
    return Buffer.from(memory.subarray(pointer, end)).toString('latin1');
  }

  function copyIn(chunk: Uint8Array) {
    if (chunk.length > capacity) {
      exports.free(input);
      capacity = chunk.length;
      input = exports.malloc(capacity);
    }
    // malloc may have grown the memory, which detaches the view.
    if (memory.buffer !== exports.memory.buffer) memory = new Uint8Array(exports.memory.buffer);
    memory.set(chunk, input);
  }

  const methodNames: string[] = [];
  let live = 0;

  return {
    alloc(type: ParserType): number {
      const parser = exports.llhttp_alloc(type);
      live++;
      if (memory.buffer !== exports.memory.buffer) memory = new Uint8Array(exports.memory.buffer);
      return parser;
    },

    free(parser: number) {
      exports.llhttp_free(parser);
      live--;
    },

    /** Parsers that are allocated and not freed. */
    live: () => live,

    /** Parses a chunk; not re-entrant. `consumed()` says how far it came. */
    execute(parser: number, events: Events, chunk: Uint8Array): Outcome {
      copyIn(chunk);
      current = events;
      const code = exports.llhttp_execute(parser, input, chunk.length);
      current = undefined;
      if (code === 0) return 'more';
      if (code === paused) {
        exports.llhttp_resume(parser);
        return 'paused';
      }
      if (code === pausedUpgrade) {
        exports.llhttp_resume_after_upgrade(parser);
        return 'paused';
      }
      return 'broken';
    },

    /** Bytes of the last chunk that were parsed when `execute` answered 'paused' or 'broken'. */
    consumed: (parser: number) => exports.llhttp_get_error_pos(parser) - input,
    reason: (parser: number) => text(exports.llhttp_get_error_reason(parser)),

    method(parser: number): string {
      const number = exports.llhttp_get_method(parser);
      methodNames[number] ??= text(exports.llhttp_method_name(number));
      return methodNames[number];
    },

    /** 10 × major + minor. */
    version: (parser: number) =>
      10 * exports.llhttp_get_http_major(parser) + exports.llhttp_get_http_minor(parser),
  };
}
