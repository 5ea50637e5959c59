export type Options = {
  seed: number;
  seconds: number;
  rate: number;
  endpoints: number;
  workers: number;
};

export const usual = { seconds: 120, rate: 1000, endpoints: 8, workers: 1 };

/**
 * From the variables SEED, SECONDS and WORKERS.
 * @throws Error with the variable and what it expects.
 */
export function optionsOf(environment: NodeJS.ProcessEnv, newSeed: number): Options {
  const number = (name: string, fallback: number, least: number, most: number) => {
    const text = environment[name];
    const value = text === undefined || text === '' ? fallback : Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`Cannot use ${name}="${text}": expected ${least} to ${most}`);
  };
  return {
    ...usual,
    seed: number('SEED', newSeed, 0, 2 ** 31 - 1),
    seconds: number('SECONDS', usual.seconds, 15, 3600),
    workers: number('WORKERS', usual.workers, 1, 64),
  };
}
