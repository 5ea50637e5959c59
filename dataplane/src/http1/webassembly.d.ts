/** The part of the WebAssembly JavaScript interface that llhttp.ts uses; it belongs to no ES library. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(
      module: Module,
      imports: Record<string, Record<string, (...args: number[]) => number>>,
    );
    readonly exports: object;
  }
}
