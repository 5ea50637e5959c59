import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** Bundles every program into dist/: the CLI, the controller, the data plane and its worker thread. */
const outdir = 'dist';

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    gatehouse: 'standalone/src/main.ts',
    controller: 'controller/src/main.ts',
    dataplane: 'dataplane/src/main.ts',
    'dataplane-worker': 'dataplane/src/workers/worker.ts',
  },
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  minifySyntax: true,
  sourcemap: 'linked',
  logLevel: 'warning',
  legalComments: 'none',
  // CommonJS packages ask for Node's modules by require.
  banner: {
    js: "import { createRequire as gatehouseRequire } from 'node:module'; const require = gatehouseRequire(import.meta.url);",
  },
});
