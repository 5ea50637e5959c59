import type { X509Certificate } from 'node:crypto';

/** A subjectAltName that can name a client. */
export type AlternativeName = { type: 'DNS' | 'URI' | 'email'; value: string };

/** One entry as Node prints it: values that could be mistaken for more are JSON strings. */
const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/y;

/** DNS names, URIs and e-mail addresses; none when the text is not as Node prints it. */
export function alternativeNames(text: string | undefined): AlternativeName[] {
  if (text === undefined || text === '') return [];
  const names: AlternativeName[] = [];
  let end = 0;
  while (end < text.length) {
    entry.lastIndex = end;
    const found = entry.exec(text);
    if (!found) return [];
    end = entry.lastIndex;
    const [, type, printed = ''] = found;
    const value = printed.startsWith('"') ? String(JSON.parse(printed)) : printed;
    if ((type === 'DNS' || type === 'URI' || type === 'email') && value !== '') {
      names.push({ type, value: type === 'DNS' ? value.toLowerCase() : value });
    }
  }
  return names;
}

/** The client as its certificate names it: URI, then DNS name, then e-mail address, then CN. */
export function nameOf(certificate: X509Certificate, names: readonly AlternativeName[]): string {
  for (const wanted of ['URI', 'DNS', 'email']) {
    const name = names.find(({ type }) => type === wanted);
    if (name) return name.value;
  }
  const common: unknown = certificate.toLegacyObject().subject?.CN;
  return typeof common === 'string' ? common : '';
}
