import { LinkFault } from '../../filter.ts';
import type { LinkMethod } from '../method.ts';

export const linkApiKey: LinkMethod<'apiKey'> = () => {
  throw new LinkFault('', 'is not there yet');
};
