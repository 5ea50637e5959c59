const size = 65_536;

/**
 * What upstream connections read into while their responses are small: they are parsed and passed on
 * before the next read, so one for the thread is enough. A buffer for each read costs 4 % of the time
 * of a data plane (profile).
 */
let shared: Buffer | undefined;

/** The buffer that one connection reads into. */
export class ReadBuffer {
  #current: Buffer | undefined;

  /** True while the bytes must be copied by whoever keeps them. */
  get shared(): boolean {
    return this.#current === shared;
  }

  /**
   * The buffer for the next read. A response that streams gets one of its own, so that nothing is
   * copied, and a new one as long as the last is still `kept`.
   */
  next(streams: boolean, kept: boolean): Buffer {
    shared ??= Buffer.allocUnsafeSlow(size);
    if (!streams) this.#current = shared;
    else if (kept || this.#current === shared) this.#current = Buffer.allocUnsafeSlow(size);
    this.#current ??= shared;
    return this.#current;
  }
}
