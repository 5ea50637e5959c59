declare module 'undici/lib/llhttp/llhttp_simd-wasm.js' {
  /** llhttp compiled to WebAssembly with SIMD. */
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
