import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A self-signed certificate for names, made by the openssl command; the first name is its subject. */
export function createCertificate(...names: string[]): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const options = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(
    ' ',
  );
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  execFileSync(
    'openssl',
    [...options, '-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`].concat(
      '-keyout',
      key,
      '-out',
      cert,
    ),
    { stdio: 'ignore' },
  );
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}
