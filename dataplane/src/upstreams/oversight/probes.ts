import { request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { HealthCheck, HttpProbe } from '@gatehouse/snapshot';
import { type Security, secureOptions } from '../security.ts';
import { grpcProbe } from './grpc-probe.ts';

/**
 * Asks an endpoint whether it is well. Resolves when it is; rejects with the reason, in time.
 * @param timeout milliseconds.
 */
export type Probe = (address: string, port: number, timeout: number) => Promise<void>;

/**
 * Undefined: of a kind that this release does not know.
 * @param security of the connections to the endpoints; undefined: cleartext.
 */
export function probeOf({ probe }: HealthCheck, security: Security | undefined): Probe | undefined {
  switch (probe.case) {
    case 'http':
      return httpProbe(probe.value, security);
    case 'tcp':
      return tcpProbe(security);
    case 'grpc':
      return grpcProbe(probe.value, security);
    default:
      return undefined;
  }
}

function httpProbe({ path, host, statuses }: HttpProbe, security: Security | undefined): Probe {
  const isWell = (status: number) =>
    statuses.length === 0 ? status >= 200 && status <= 299 : statuses.includes(status);
  return (address, port, timeout) =>
    new Promise((resolve, reject) => {
      const headers = {
        connection: 'close',
        'user-agent': 'gatehouse-health-check',
        ...(host === '' ? {} : { host }),
      };
      const target = { host: address, port, path, headers, agent: false };
      const asked = security
        ? requestSecurely({ ...target, ...secureOptions(security, 'http/1.1') })
        : request(target);
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

function tcpProbe(security: Security | undefined): Probe {
  return (address, port, timeout) =>
    new Promise((resolve, reject) => {
      const socket = security
        ? connectSecurely({ host: address, port, ...secureOptions(security, 'http/1.1') })
        : connect({ host: address, port });
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeout);
      socket.once(security ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        socket.destroy();
        resolve();
      });
      socket.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
}
