import { type IncomingHttpHeaders, request } from 'node:http';

export type Page = { url: URL; status: number; headers: IncomingHttpHeaders; body: string };

/** A browser as far as logins go: it keeps cookies by host and follows redirects when asked to. */
export type Browser = {
  get(url: string, headers?: Record<string, string>, method?: string): Promise<Page>;
  /** Goes on until there is no redirect any more. */
  follow(url: string, headers?: Record<string, string>): Promise<Page>;
  /** Cookies of a host by name. */
  cookies(host: string): Map<string, string>;
};

const mostRedirects = 20;

/** @param ports where the servers of made-up hosts are on loopback, by host */
export function openBrowser(ports: Readonly<Record<string, number>>): Browser {
  const jars = new Map<string, Map<string, string>>();

  function cookies(host: string) {
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  }

  async function get(text: string, headers: Record<string, string> = {}, method = 'GET') {
    const url = new URL(text);
    const jar = cookies(url.host);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const page = await send(url, method, ports[url.host] ?? Number(url.port), {
      accept: 'text/html',
      ...(cookie === '' ? {} : { cookie }),
      ...headers,
    });
    for (const line of page.headers['set-cookie'] ?? []) keep(jar, line);
    return page;
  }

  return {
    cookies,
    get,
    async follow(url, headers) {
      let page = await get(url, headers);
      for (let i = 0; page.status >= 300 && page.status < 400; i++) {
        if (i === mostRedirects) throw new Error(`Too many redirects, the last to ${page.url}`);
        page = await get(new URL(page.headers.location ?? '', page.url).href, headers);
      }
      return page;
    },
  };
}

function keep(jar: Map<string, string>, line: string) {
  const [pair = '', ...attributes] = line.split('; ');
  const name = pair.slice(0, pair.indexOf('='));
  const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8);
  const gone = attributes.includes('Max-Age=0') || (expires && Date.parse(expires) < Date.now());
  if (gone) jar.delete(name);
  else jar.set(name, pair.slice(name.length + 1));
}

function send(
  url: URL,
  method: string,
  port: number,
  headers: Record<string, string>,
): Promise<Page> {
  return new Promise((resolve, reject) => {
    const path = url.pathname + url.search;
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { host: url.host, ...headers },
    };
    const sent = request({ ...options, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        body += text;
      });
      answer.on('end', () => {
        resolve({ url, status: answer.statusCode ?? 0, headers: answer.headers, body });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
