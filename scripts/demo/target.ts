import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** Where the requests of an example go. */
export type Target = {
  /** Port of the HTTP listener. */
  http: number;
  /** The port that stands for each port that the files of the example name. */
  ports: ReadonlyMap<number, number>;
  /** Certificates of the example in PEM, trusted instead of those of the system. */
  authorities: string[];
};

/** Port of the HTTPS listener in every example that has one. */
export const httpsPort = 8443;

export function portOf(target: Target, documented: number): number {
  return target.ports.get(documented) ?? documented;
}

/** A text with the ports that are in use instead of the documented ones. */
export function withPorts(text: string, ports: ReadonlyMap<number, number>): string {
  return text.replace(/\b\d{4}\b/g, (digits) => String(ports.get(Number(digits)) ?? digits));
}

export async function authoritiesOf(folder: string, files: string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return texts
    .flatMap((text) => parseAllDocuments(text))
    .flatMap((document) =>
      ['tls.crt', 'ca.crt'].map((entry) => document.getIn(['stringData', entry])),
    )
    .filter((certificate) => typeof certificate === 'string');
}
