/** A password as htpasswd keeps it. */
export type PasswordHash =
  | { scheme: 'bcrypt'; text: string }
  | {
      scheme: 'argon2id';
      /** KiB */
      memory: number;
      passes: number;
      parallelism: number;
      salt: Uint8Array;
      tag: Uint8Array;
    }
  /** SHA-1 of the password and then the salt, which {SHA} leaves empty. */
  | { scheme: 'sha1'; salt: Uint8Array; digest: Uint8Array };

export type Htpasswd = {
  users: Map<string, PasswordHash>;
  /** Lines count from 1; 0 stands for the whole. A reason never quotes the line. */
  faults: { line: number; reason: string }[];
};

/**
 * What one check may cost: whoever knows no password can ask for checks. The greatest bcrypt takes about
 * a second of one core; of argon2id the product of memory and passes is bounded as well.
 */
const bounds = { cost: 14, memory: 131_072, passes: 16, work: 524_288, parallelism: 16 };

const unknownFormat =
  'has a password of a format that is not supported: use bcrypt ("htpasswd -B"), argon2id, {SSHA} or {SHA}';

/** Reads lines "user:hash". Empty lines and those that start with "#" are left out. */
export function parseHtpasswd(bytes: Uint8Array): Htpasswd {
  const parsed: Htpasswd = { users: new Map(), faults: [] };
  const text = textOf(bytes);
  if (text === undefined) return { ...parsed, faults: [{ line: 0, reason: 'is not UTF-8' }] };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const reason = readLine(line, parsed.users);
    if (reason !== undefined) parsed.faults.push({ line: index + 1, reason });
  }
  if (parsed.users.size + parsed.faults.length === 0) {
    parsed.faults.push({ line: 0, reason: 'names no user' });
  }
  return parsed;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Adds the user of a line. Returns what is wrong with it. */
function readLine(line: string, users: Map<string, PasswordHash>): string | undefined {
  const colon = line.indexOf(':');
  if (colon < 0) return 'is not "user:hash"';
  const user = line.slice(0, colon);
  if (user === '') return 'names no user';
  // RFC 7617 section 2: neither user nor password hold controls.
  if (/[\u0000-\u001f\u007f]/.test(user)) return 'has control characters in the name of the user';
  if (users.has(user)) return 'names a user that another line names';
  const hash = hashOf(line.slice(colon + 1).trimEnd());
  if (typeof hash === 'string') return hash;
  users.set(user, hash);
  return undefined;
}

/** The hash, or what is wrong with it. */
function hashOf(text: string): PasswordHash | string {
  if (/^\$2[aby]\$/.test(text)) return bcryptOf(text);
  if (text.startsWith('$argon2id$')) return argon2Of(text);
  if (text.startsWith('{SHA}')) return sha1Of(text.slice(5), 20, 20);
  if (text.startsWith('{SSHA}')) return sha1Of(text.slice(6), 21, 84);
  return unknownFormat;
}

function bcryptOf(text: string): PasswordHash | string {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1];
  if (cost === undefined) return 'has a bcrypt hash that is cut off or damaged';
  if (Number(cost) < 4 || Number(cost) > bounds.cost) {
    return `has a bcrypt hash whose cost is not from 4 to ${bounds.cost}`;
  }
  return { scheme: 'bcrypt', text };
}

const argon2Pattern =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** The string of the reference implementation; version 19 is that of RFC 9106. */
function argon2Of(text: string): PasswordHash | string {
  const [all, m, t, p, salt64 = '', tag64 = ''] = argon2Pattern.exec(text) ?? [];
  if (all === undefined) return 'has an argon2id hash that is damaged, or not of version 19';
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  const [salt, tag] = [Buffer.from(salt64, 'base64'), Buffer.from(tag64, 'base64')];
  const sound =
    parallelism >= 1 &&
    passes >= 1 &&
    memory >= 8 * parallelism &&
    salt.length >= 8 &&
    tag.length >= 16;
  const affordable =
    memory <= bounds.memory &&
    passes <= bounds.passes &&
    parallelism <= bounds.parallelism &&
    memory * passes <= bounds.work &&
    salt.length <= 64 &&
    tag.length <= 64;
  if (!sound) return 'has an argon2id hash whose parameters RFC 9106 does not allow';
  if (!affordable) {
    return `has an argon2id hash that costs too much: m is at most ${bounds.memory}, t ${bounds.passes}, p ${bounds.parallelism} and m times t ${bounds.work}`;
  }
  return { scheme: 'argon2id', memory, passes, parallelism, salt, tag };
}

/** RFC 2307 and what LDAP servers made of it: the digest, then the salt. */
function sha1Of(encoded: string, shortest: number, longest: number): PasswordHash | string {
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
  if (!bytes || bytes.length < shortest || bytes.length > longest) {
    return 'has an {SHA} or {SSHA} hash that is damaged';
  }
  return { scheme: 'sha1', digest: bytes.subarray(0, 20), salt: bytes.subarray(20) };
}
