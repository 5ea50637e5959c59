import { request } from 'node:http';
import { connect } from 'node:net';
import type { HealthCheck, HttpProbe } from '@gatehouse/snapshot';
import { grpcProbe } from './grpc-probe.ts';

/**
 * Asks an endpoint whether it is well. Resolves when it is; rejects with the reason, in time.
 * @param timeout milliseconds.
 */
export type Probe = (address: string, port: number, timeout: number) => Promise<void>;

/** Undefined: of a kind that this release does not know. */
export function probeOf({ probe }: HealthCheck): Probe | undefined {
  switch (probe.case) {
    case 'http':
      return httpProbe(probe.value);
    case 'tcp':
      return tcpProbe;
    case 'grpc':
      return grpcProbe(probe.value);
    default:
      return undefined;
  }
}

function httpProbe({ path, host, statuses }: HttpProbe): Probe {
  const isWell = (status: number) =>
    statuses.length === 0 ? status >= 200 && status <= 299 : statuses.includes(status);
  return (address, port, timeout) =>
    new Promise((resolve, reject) => {
      const headers = {
        connection: 'close',
        'user-agent': 'gatehouse-health-check',
        ...(host === '' ? {} : { host }),
      };
      const asked = request({ host: address, port, path, headers, agent: false });
      const timer = setTimeout(() => asked.destroy(new Error('no answer in time')), timeout);
      asked.once('response', (response) => {
        const { statusCode = 0 } = response;
        clearTimeout(timer);
        // What it says beyond the status is of no interest.
        asked.destroy();
        if (isWell(statusCode)) resolve();
        else reject(new Error(`status ${statusCode}`));
      });
      asked.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      asked.end();
    });
}

const tcpProbe: Probe = (address, port, timeout) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeout);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
