const size = 65_536;

/**
 * What the upstream connections of a thread read into: mostly all of it is parsed and passed on, to the
 * kernel even, before the next read. A buffer for each read costs 4 % of the time of a data plane (profile), and
 * copies of large bodies 17 %.
 */
let shared: Buffer | undefined;

/** The buffer for the next read. */
export function nextBuffer(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(size);
  return shared;
}

/** Lets nobody overwrite a chunk: something still has to read it after the present turn. */
export function keepChunk({ buffer }: Buffer) {
  if (buffer === shared?.buffer) shared = undefined;
}
