import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Load } from './generate.ts';
import type { Report } from './report.ts';

/** Requests a second; E2E_RATE gives another for machines that have less to spare. */
export const defaultRate = Number(process.env.E2E_RATE ?? 2000);

export type RunningLoad = {
  /** Ends the load and waits for the answers that are missing. */
  stop(): Promise<Report>;
};

/**
 * Starts a load in a process of its own. Defaults: `defaultRate` requests a second over 64 connections to
 * 127.0.0.1, answers within 5,000 ms.
 */
export function startLoad(load: Partial<Load> & Pick<Load, 'port' | 'authority'>): RunningLoad {
  const defaults = {
    host: '127.0.0.1',
    path: '/',
    rate: defaultRate,
    connections: 64,
    timeout: 5000,
  };
  const program = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [program, JSON.stringify({ ...defaults, ...load })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const printed = text(child.stdout);
  const ended = once(child, 'exit');
  return {
    async stop() {
      child.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`Cannot measure: the load ended with ${code}`);
      return JSON.parse(await printed) as Report;
    },
  };
}
