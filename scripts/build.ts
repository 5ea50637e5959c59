import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/**
 * Bundles every program into dist/, or into the folder that is given: the CLI, the controller, the data
 * plane and its worker threads.
 */
const outdir = process.argv[2] ?? 'dist';

/**
 * The parser as an ES module. Imported as CommonJS it would pass through esbuild's `__toESM`, which
 * makes a getter for each of its 60,000 bytes: 7 MiB in every data plane.
 */
const llhttp: Plugin = {
  name: 'llhttp',
  setup({ onLoad }) {
    onLoad({ filter: /llhttp_simd-wasm\.js$/ }, ({ path }) => {
      const bytes: Uint8Array = createRequire(import.meta.url)(path);
      const text = Buffer.from(bytes).toString('base64');
      return { contents: `export default Buffer.from('${text}', 'base64');`, loader: 'js' };
    });
  },
};

const options: BuildOptions = {
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [llhttp],
  sourcemap: 'linked',
  logLevel: 'warning',
  legalComments: 'none',
  // CommonJS packages ask for Node's modules by require.
  banner: {
    js: "import { createRequire as gatehouseRequire } from 'node:module'; const require = gatehouseRequire(import.meta.url);",
  },
};

await rm(outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: {
    gatehouse: 'standalone/src/main.ts',
    dataplane: 'dataplane/src/main.ts',
    'dataplane-worker': 'dataplane/src/workers/worker.ts',
    'dataplane-bcrypt': 'dataplane/src/filters/auth/basic/bcrypt-worker.ts',
  },
});
// What it loads only when needed stays in files of its own: the client of Kubernetes is half of it.
await build({
  ...options,
  entryPoints: { controller: 'controller/src/main.ts' },
  splitting: true,
  chunkNames: 'controller-[name]-[hash]',
});
