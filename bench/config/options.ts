import { parseArgs } from 'node:util';

export type Options = {
  /** Names of measurements; all when undefined. */
  only: readonly string[] | undefined;
  /** Objects and seconds, as a share of the full size. */
  scale: number;
  /** Folder of the bundled programs. */
  programs: string;
  /** Folder for CPU profiles of the programs; figures taken with it are not good for much. */
  profile: string | undefined;
  /** Exit with 1 when a bar is missed. */
  strict: boolean;
};

export const usage = `Usage: node bench/config/main.ts [options]

Measures how a change of config comes from an API server to data planes, against a real kube-apiserver
with etcd and the bundled programs in dist/. Needs Linux, Go and etcd.

  --only A,B    some measurements only; bench/results stays as it was
  --scale N     0.01 to 1: so much of the objects and of the time; bench/results stays as it was
  --programs DIR  other bundles than those in dist/; bench/results stays as it was
  --profile DIR writes CPU profiles of controllers and data planes there; bench/results stays as it was
  --strict      exit with 1 when a bar is missed
`;

/** @throws Error in one sentence. */
export function optionsOf(args: string[], names: readonly string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      scale: { type: 'string', default: '1' },
      profile: { type: 'string' },
      programs: { type: 'string', default: 'dist' },
      strict: { type: 'boolean', default: false },
    },
  });
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`Cannot measure "${unknown}": there are ${names.join(', ')}`);
  }
  const scale = Number(values.scale);
  if (!(scale >= 0.01 && scale <= 1)) {
    throw new Error(`Cannot use --scale "${values.scale}": it is a number from 0.01 to 1`);
  }
  const { profile, programs, strict } = values;
  return { only, scale, programs, profile, strict };
}
