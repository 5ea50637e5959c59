import { arch, cpus, platform, release, totalmem } from 'node:os';

export type Machine = {
  cpu: string;
  cores: number;
  memory_gib: number;
  kernel: string;
  node: string;
  /** Of the peers and of wrk. */
  versions: Record<string, string>;
  date: string;
};

export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    versions: { ...versions },
    date: new Date().toISOString(),
  };
}
