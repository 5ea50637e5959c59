import { createHmac } from 'node:crypto';
import type { Endpoint } from './endpoint.ts';

export type StickySettings = {
  /** Name of the cookie. */
  cookie: string;
  path: string;
  /** Seconds; 0: as long as the session of the browser. */
  ttl: number;
  seed: Uint8Array;
};

/** Characters of a tag: 96 bits. */
const tagLength = 16;

/** Which endpoint a client goes on with: the one that its cookie names by a tag. */
export class StickySessions {
  readonly #settings: StickySettings;
  readonly #byTag = new Map<string, Endpoint>();
  readonly #tags = new Map<Endpoint, string>();

  /** @param upstream its name: an endpoint has another tag in each. */
  constructor(settings: StickySettings, upstream: string, endpoints: readonly Endpoint[]) {
    this.#settings = settings;
    for (const endpoint of endpoints) {
      const hash = createHmac('sha256', settings.seed).update(`${upstream}\n${endpoint.id}`);
      const tag = hash.digest('base64url').slice(0, tagLength);
      this.#byTag.set(tag, endpoint);
      this.#tags.set(endpoint, tag);
    }
  }

  /**
   * The endpoint that the cookies of a request name, whether or not it is in service.
   * @param cookies the Cookie field (RFC 6265 section 5.4); undefined without one.
   */
  endpointOf(cookies: string | undefined): Endpoint | undefined {
    const tag = cookies === undefined ? undefined : cookieValue(cookies, this.#settings.cookie);
    return tag === undefined ? undefined : this.#byTag.get(tag);
  }

  /** The field line that keeps a client with an endpoint. */
  setCookie(endpoint: Endpoint, secure: boolean): string {
    const { cookie, path, ttl } = this.#settings;
    const age = ttl > 0 ? `; Max-Age=${ttl}` : '';
    const flags = `HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
    return `set-cookie: ${cookie}=${this.#tags.get(endpoint) ?? ''}; Path=${path}${age}; ${flags}\r\n`;
  }
}

function cookieValue(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
