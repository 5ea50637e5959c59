import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Certificate } from '../../link/runtime.ts';
import { applicationProtocols } from './application-protocols.ts';
import { cipherSuites } from './cipher-suites.ts';
import type { ClientHello } from './client-hello.ts';
import {
  fleetTicketKeys,
  keyNameLength,
  ownTicketKeys,
  periodOf,
  type TicketKeys,
  type TicketSeeds,
  ticketPeriod,
  ticketScope,
} from './ticket-keys.ts';

export type GateEvents = {
  seeds: TicketSeeds;
  secured(socket: TLSSocket): void;
  failed(error: Error, socket: TLSSocket): void;
};

type Version = 'TLSv1.2' | 'TLSv1.3';

/**
 * Shakes hands with the certificate of a listener, by the terms of that listener. It has a server of Node, which
 * listens nowhere, for each version and ticket key in use: what a server is told (versions, client
 * certificates, tickets) cannot be changed in the midst of a handshake.
 */
export class Gate {
  readonly #certificate: Certificate;
  readonly #events: GateEvents;
  readonly #keys: Record<Version, TicketKeys>;
  readonly #servers = new Map<string, { server: Server; period: number }>();

  constructor(certificate: Certificate, events: GateEvents) {
    const scope = ticketScope(certificate);
    this.#certificate = certificate;
    this.#events = events;
    this.#keys = {
      'TLSv1.2': ownTicketKeys(events.seeds, scope),
      'TLSv1.3': fleetTicketKeys(certificate.pem.key, scope),
    };
  }

  /** Goes on with the handshake of a connection whose first bytes were read and put back. */
  admit(socket: Socket, { speaks13, ticketKey }: ClientHello) {
    const strict = speaks13 || this.#certificate.terms.minVersion === 'TLSv1.3';
    const version: Version = strict ? 'TLSv1.3' : 'TLSv1.2';
    const now = periodOf(Date.now());
    this.#serverOf(version, this.#periodOf(version, ticketKey, now), now).emit(
      'connection',
      socket,
    );
  }

  /** The period of the key that opens the ticket, if it is in use; else the present one. */
  #periodOf(version: Version, ticketKey: Buffer | undefined, now: number): number {
    if (!ticketKey || this.#asks) return now;
    const keys = this.#keys[version];
    // Clocks of two data planes may be on two sides of the hour.
    for (const period of [now, now - 1, now + 1]) {
      if (keys(period)?.subarray(0, keyNameLength).equals(ticketKey)) return period;
    }
    return now;
  }

  get #asks(): boolean {
    return this.#certificate.terms.authorities.length > 0;
  }

  #serverOf(version: Version, period: number, now: number): Server {
    const name = this.#asks ? version : `${version} ${period}`;
    let found = this.#servers.get(name)?.server;
    if (!found) {
      for (const [other, { period }] of this.#servers) {
        if (period < now - 1) this.#servers.delete(other);
      }
      found = this.#createServer(version, period);
      this.#servers.set(name, { server: found, period: this.#asks ? Number.MAX_VALUE : period });
    }
    return found;
  }

  #createServer(minVersion: Version, period: number): Server {
    const { pem, terms } = this.#certificate;
    const { authorities } = terms;
    const ticketKeys = this.#asks ? undefined : this.#keys[minVersion](period);
    // A resumed session has the certificate of the client, but not the others of its chain, and nobody asked
    // whether it is still good: where clients are asked for certificates nothing is resumed.
    const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET } = constants;
    const server = createServer({
      ...pem,
      ...(authorities.length > 0 ? { ca: [...authorities] } : {}),
      ...(ticketKeys ? { ticketKeys } : {}),
      minVersion,
      ciphers: cipherSuites,
      secureOptions: SSL_OP_NO_RENEGOTIATION | (ticketKeys ? 0 : SSL_OP_NO_TICKET),
      sessionIdContext: sessionContextOf(ticketScope(this.#certificate), authorities),
      // Seconds.
      sessionTimeout: ticketPeriod / 1000,
      requestCert: authorities.length > 0,
      // Whether it is good enough is for policies to say.
      rejectUnauthorized: false,
      ALPNProtocols: applicationProtocols,
    });
    server.on('secureConnection', this.#events.secured);
    server.on('tlsClientError', this.#events.failed);
    return server;
  }
}

/** At most 32 bytes (SSL_MAX_SID_CTX_LENGTH). */
function sessionContextOf(scope: string, authorities: readonly string[]): string {
  const hash = createHash('sha256').update(scope);
  for (const pem of authorities) hash.update(pem);
  return hash.digest('hex').slice(0, 32);
}
