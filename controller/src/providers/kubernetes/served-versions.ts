import { ApiFault, fieldsOf } from './api-fault.ts';
import type { ApiServer } from './api-server.ts';
import type { Resource } from './resources.ts';

/**
 * Versions of its group in which the API server serves a kind, by discovery. Where there is one, there
 * may be objects, although not in the version that is read here; where there is none, there cannot be.
 * @throws ApiFault
 */
export async function servedVersions(
  api: ApiServer,
  { group, plural }: Pick<Resource, 'group' | 'plural'>,
): Promise<string[]> {
  const { versions } = fieldsOf(await discover(api, `/apis/${group}`));
  const names = listOf(versions).flatMap(({ version }) =>
    typeof version === 'string' ? [version] : [],
  );
  const served = await Promise.all(
    names.map(async (name) => {
      const { resources } = fieldsOf(await discover(api, `/apis/${group}/${name}`));
      return listOf(resources).some((one) => one.name === plural);
    }),
  );
  return names.filter((_, index) => served[index]);
}

/** Undefined when it is not there. */
async function discover(api: ApiServer, path: string): Promise<unknown> {
  return api.request({ path }).catch((error: unknown) => {
    if (error instanceof ApiFault && error.status === 404) return undefined;
    throw error;
  });
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
