import { connect } from 'node:net';
import type { PoolGroup, PoolSettings } from '../endpoint-pool.ts';
import { isOld, mayOpen, type Pool } from '../pool.ts';
import { SecureConnector } from '../security.ts';
import type { UpstreamStream } from '../stream.ts';
import { RequestStream } from './request-stream.ts';
import { type SessionOwner, UpstreamSession } from './session.ts';

/** The HTTP/2 connections of this thread to one endpoint: the next one is opened when all are full. */
export class SessionPool implements Pool, SessionOwner {
  readonly address: string;
  readonly port: number;
  settings: PoolSettings;
  readonly #group: PoolGroup;
  /** Those that take requests, in the order in which they are filled. */
  #sessions: UpstreamSession[] = [];
  readonly #opened = new Set<UpstreamSession>();
  readonly #connector: SecureConnector;
  #closed = false;

  constructor(address: string, port: number, settings: PoolSettings, group: PoolGroup) {
    this.address = address;
    this.port = port;
    this.settings = settings;
    this.#group = group;
    this.#connector = new SecureConnector(group.onInsecure);
  }

  get open(): number {
    return this.#opened.size;
  }

  get room(): boolean {
    return this.#sessions.some((session) => session.room) || this.#mayOpen;
  }

  get #mayOpen(): boolean {
    return mayOpen(this, this.#group.quota);
  }

  acquire(now: number): UpstreamStream {
    return new RequestStream(this.#sessionFor(now));
  }

  #sessionFor(now: number): UpstreamSession {
    for (const session of this.#sessions) {
      if (!session.room) continue;
      if (!isOld(session, this.settings, now)) return session;
      session.retire();
    }
    const [first] = this.#sessions;
    if (!first || this.#mayOpen) return this.#connect(now);
    return this.#sessions.reduce((least, one) => (one.load < least.load ? one : least), first);
  }

  #connect(now: number): UpstreamSession {
    const { address, port, settings } = this;
    const group = this.#group;
    const { security } = settings;
    const socket = security
      ? this.#connector.connect(this, security, 'h2')
      : connect({ host: address, port, noDelay: true, keepAlive: true });
    const session = new UpstreamSession(socket, settings.connectTimeout, this, group.wheel, now);
    this.#sessions.push(session);
    this.#opened.add(session);
    group.quota.open++;
    return session;
  }

  moveOn(stream: RequestStream, from: UpstreamSession) {
    const other = this.#sessions.find((session) => session !== from && session.room);
    const next =
      other ?? (this.#mayOpen || from.retired ? this.#connect(this.#group.wheel.time()) : from);
    stream.move(next);
  }

  onRoom(session: UpstreamSession) {
    const { wheel, onRoom } = this.#group;
    if (session.load === 0) {
      const idle = this.#sessions.filter(({ load }) => load === 0).length;
      if (
        this.#closed ||
        idle > this.settings.maxIdle ||
        isOld(session, this.settings, wheel.time())
      ) {
        return session.retire();
      }
      session.idle(this.settings.idleTimeout);
    }
    onRoom();
  }

  onRetired(session: UpstreamSession) {
    this.#sessions = this.#sessions.filter((other) => other !== session);
  }

  forget(session: UpstreamSession) {
    this.onRetired(session);
    if (!this.#opened.delete(session)) return;
    this.#group.quota.open--;
    this.#group.onRoom();
  }

  closeIdle(): boolean {
    const session = this.#sessions.find(({ load }) => load === 0);
    if (!session) return false;
    session.retire();
    this.forget(session);
    return true;
  }

  close() {
    this.#closed = true;
    for (const session of [...this.#sessions]) session.retire();
  }
}
