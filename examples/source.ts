/** Something that an example is told its endpoints by, beside the backends. */
export type Source = {
  /** The port that each of its servers got, by the port that it was meant for. */
  ports: ReadonlyMap<number, number>;
  close(): Promise<void>;
};

/**
 * Starts it on loopback; `source.ts` of an example exports one as `startSource`.
 * @param ports those of the backends, by the ports that they were meant for; nothing when they have these.
 */
export type StartSource = (ports: ReadonlyMap<number, number>) => Promise<Source>;

/** Runs a source as a program of its own, on the ports that it is meant for. */
export async function runSource(start: StartSource, wanted: number): Promise<void> {
  const { close } = await start(new Map([[wanted, wanted]]));
  process.stdout.write(`listens on 127.0.0.1:${wanted}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
}
