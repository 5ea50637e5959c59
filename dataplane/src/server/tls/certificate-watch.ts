import { X509Certificate } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { hex, Kind, keyOf, ListenerSchema, type ResourceSet } from '@gatehouse/snapshot';
import { dateText, pairOf, type Validity, validityOf } from '../../link/certificates.ts';
import type { RefusedResource } from '../../link/refusals.ts';
import { labelsText } from '../../state/label-value.ts';
import type { ProcessMetric } from '../../telemetry/prometheus.ts';

const day = 86_400_000;
/** Milliseconds before its end when a certificate is spoken of; of short-lived ones the last third of their time. */
const soon = 14 * day;
/** Milliseconds between two looks at the clock. */
const interval = 60_000;

/** What is to be known of a certificate, or does not work. */
export type CertificateProblem = RefusedResource & { notice: boolean };

export type CertificateWatch = ReturnType<typeof watchCertificates>;

/**
 * Watches how long the certificates of HTTPS listeners are valid.
 * @param tell gets all problems whenever they have changed.
 */
export function watchCertificates(
  tell: (problems: readonly CertificateProblem[]) => void,
  clock: () => number = Date.now,
) {
  let served: { listener: string; secret: string; validity: Validity }[] = [];
  let read = new Map<string, Validity | undefined>();
  let problems: CertificateProblem[] = [];

  function look() {
    const now = clock();
    const bySecret = new Map(served.map(({ secret, validity }) => [secret, validity]));
    const found = [...bySecret].flatMap(([name, validity]) => problemOf(name, validity, now) ?? []);
    const same = found.length === problems.length && found.every(isKnown);
    problems = found;
    if (!same) tell(problems);
  }

  function isKnown({ name, reason }: CertificateProblem, index: number): boolean {
    const before = problems[index];
    return before?.name === name && before.reason === reason;
  }

  const timer = setInterval(look, interval).unref();

  return {
    /** Looks at what is served now. */
    use(config: ResourceSet) {
      const next: typeof served = [];
      const known = new Map<string, Validity | undefined>();
      for (const { kind, name: listener, body } of config.values()) {
        if (kind !== Kind.LISTENER) continue;
        const { certificates, keptCertificates } = fromBinary(ListenerSchema, body);
        for (const secret of [...certificates, ...keptCertificates]) {
          const resource = config.get(keyOf(Kind.SECRET, secret));
          if (!resource) continue;
          const hash = hex(resource.hash);
          const validity = read.has(hash) ? read.get(hash) : validityIn(pairOf(resource)?.cert);
          known.set(hash, validity);
          if (validity) next.push({ listener, secret, validity });
        }
      }
      served = next;
      read = known;
      look();
    },

    look,

    metrics: (): ProcessMetric[] =>
      served.map(({ listener, secret, validity }) => ({
        name: 'gatehouse_listener_certificate_expiry_timestamp_seconds',
        type: 'gauge',
        help: 'When the certificate that a listener shows expires, in seconds since the epoch.',
        value: validity.validTo / 1000,
        labels: labelsText({ listener, secret }),
      })),

    close: () => clearInterval(timer),
  };
}

/** Undefined when it is no certificate: then no listener shows it. */
function validityIn(cert: Buffer | undefined): Validity | undefined {
  if (!cert) return undefined;
  try {
    return validityOf(new X509Certificate(cert));
  } catch {
    return undefined;
  }
}

function problemOf(
  name: string,
  { validFrom, validTo }: Validity,
  now: number,
): CertificateProblem | undefined {
  const told = (notice: boolean, reason: string) => ({
    kind: Kind.SECRET,
    name,
    path: 'data["tls.crt"]',
    reason: `the certificate of Secret "${name}" ${reason}`,
    notice,
  });
  if (now > validTo) {
    return told(false, `has expired on ${dateText(validTo)}: put a new pair into it`);
  }
  if (now < validFrom) {
    const before = 'a data plane that has the one before it shows that until then';
    return told(true, `is not valid before ${dateText(validFrom)}; ${before}`);
  }
  if (validTo - now < Math.min(soon, (validTo - validFrom) / 3)) {
    return told(true, `expires on ${dateText(validTo)}: renew it`);
  }
  return undefined;
}
