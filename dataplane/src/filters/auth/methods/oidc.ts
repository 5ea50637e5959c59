import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkOidc: LinkMethod<'oidc'> = () => {
  throw new LinkFault('', 'is not there yet');
};
