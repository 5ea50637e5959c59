import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkMtls: LinkMethod<'mtls'> = () => {
  throw new LinkFault('', 'is not there yet');
};
