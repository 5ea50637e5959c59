import type { Health } from './reflector.ts';
import { type Resource, rbacName } from './resources.ts';

const keeps =
  'What was read before stays in use; a controller that never could read it is not ready';

/** What an operator should know about a collection, and what to do. */
export function healthText(resource: Resource, where: string, health: Health): string {
  const name = `${rbacName(resource)}${where}`;
  const { group, plural, required } = resource;
  switch (health.state) {
    case 'starting':
    case 'current':
      return `${name} can be read`;
    case 'absent':
      return `Cannot ${health.verb} ${name}: the cluster does not serve ${group}/${resource.version} ${resource.kind}; install its CRD. Everything else is served meanwhile`;
    case 'moved':
      return (
        `Cannot ${health.verb} ${name}: the cluster does not serve ${group}/${resource.version} ${resource.kind}, ` +
        `only ${health.versions.join(', ')}; install the CRD of this release. ` +
        (required ? keeps : 'Everything else is served meanwhile')
      );
    case 'forbidden':
      return (
        `Cannot ${health.verb} ${name}: forbidden; grant the verb "${health.verb}" on the resource "${plural}" ` +
        `of the API group "${group}" to the controller. ` +
        (required ? keeps : 'Everything else is served meanwhile')
      );
    case 'failing':
      return `Cannot ${health.verb} ${name}: ${health.reason}; what was read before stays in use`;
  }
}
