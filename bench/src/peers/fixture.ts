import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';

const require = createRequire(import.meta.url);

function versionOf(library: string): string {
  const { version }: { version: string } = require(`${library}/package.json`);
  return version;
}

/** A proxy that is a small program of ours around an npm library: `fixtures/NAME.ts PORT BACKEND_PORT`. One route. */
export function fixturePeer(name: string, library: string): Peer {
  const program = join(import.meta.dirname, '..', 'fixtures', `${name}.ts`);
  return {
    async find() {
      return { kind: 'found', program, version: versionOf(library) };
    },
    async prepare(_, { site, port, backendPort }) {
      const [route, ...others] = site.routes;
      if (route === undefined || others.length > 0 || site.addition !== undefined) {
        throw new Error(`Cannot configure peer "${name}": it serves one route and nothing else`);
      }
      const args = [program, String(port), String(backendPort), route.prefix];
      return { program: process.execPath, args, memory: { kind: 'process' } };
    },
  };
}
