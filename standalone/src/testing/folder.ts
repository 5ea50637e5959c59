import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TestFolder = AsyncDisposable & {
  path: string;
  write(file: string, text: string): Promise<void>;
};

/** A folder of configuration that is deleted in the end. */
export async function createFolder(files: Record<string, string>): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const write = (file: string, text: string) => writeFile(join(path, file), text);
  for (const [file, text] of Object.entries(files)) await write(file, text);
  return {
    path,
    write,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** A Route that answers `path` with a text of its own. */
export function respondRoute(name: string, path: string, body: string): string {
  return `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: ${name} }
spec:
  rules:
    - name: all
      matches: [{ path: { type: Prefix, value: ${path} } }]
      respond: { status: 200, body: ${JSON.stringify(body)} }
`;
}

/** A Route that sends everything below `path` to a port of loopback. */
export function forwardRoute(name: string, path: string, port: number): string {
  return `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: ${name} }
spec:
  rules:
    - name: all
      matches: [{ path: { type: Prefix, value: ${path} } }]
      backends: [{ kind: Upstream, name: ${name} }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: ${name} }
spec: { endpoints: { static: [{ address: 127.0.0.1, port: ${port} }] } }
`;
}
