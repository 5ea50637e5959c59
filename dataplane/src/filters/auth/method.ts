import type { AuthenticationMethod } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Reply } from '../../http1/reply.ts';
import type { Identity, LinkContext } from '../filter.ts';
import type { Credential } from './credential.ts';

/** What a method makes of a request. */
export type Attempt =
  /** The client brought nothing that this method reads. */
  | { kind: 'missing' }
  | {
      kind: 'identified';
      identity: Identity;
      /** What the client sent for it, where it can be stripped. */
      credential?: Credential;
      /** Complete field lines that the upstream gets beside those of the identity. */
      upstreamFields?: string;
      /** Complete field lines that the client gets. */
      responseFields?: string;
      /** Indices of field lines of the request that the upstream does not get. */
      hidden?: readonly number[];
    }
  /** What the client brought is not valid: 401. `reason` is for the log; it holds nothing secret. */
  | { kind: 'invalid'; reason: string }
  /** It cannot be told: 500, or `reply`. The exchange goes no further whatever other methods say. */
  | { kind: 'unavailable'; reason: string; reply?: Reply }
  /** The method answers by itself: a redirect to a login, a refusal of an external service. */
  | { kind: 'answered'; reply: Reply; reason: string };

/** A named authentication method, ready for use. */
export type Method = {
  name: string;
  /** Of WWW-Authenticate (RFC 9110 section 11.6.1); '' when the method has none. */
  challenge: string;
  attempt(exchange: Exchange): Attempt | Promise<Attempt>;
};

/** The types of methods: the fields of an AuthenticationMethod beside its name. */
export type MethodType = Exclude<keyof AuthenticationMethod, 'name'>;

/** @throws LinkFault; its path begins behind the type, e.g. "issuers[0].inline". */
export type LinkMethod<T extends MethodType> = (
  config: NonNullable<AuthenticationMethod[T]>,
  about: MethodContext,
) => Method;

export type MethodContext = LinkContext & {
  /** Name of the method. */
  name: string;
  /** Namespace of the policy it comes from: that of its Secrets. */
  namespace: string;
  /** "authentication[<name>].<type>" */
  path: string;
};
