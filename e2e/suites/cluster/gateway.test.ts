import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../cluster/certificates.ts';
import { installGatehouse, namespace, release } from '../../src/gatehouse.ts';
import { installGatewayApi } from '../../src/gateway-api.ts';
import { readyPods } from '../../src/pods.ts';
import { request } from '../../src/request.ts';
import { requestTls } from '../../src/request-tls.ts';
import { program, route } from '../../src/route.ts';
import { suite } from '../../src/suite.ts';

const { cluster, kubectl, domain } = suite('gateway');
const host = `shop.${domain}`;

/** From here on the cluster has the Gateway API, and the chart a Gateway. */
beforeAll(async () => {
  await installGatewayApi(kubectl);
  await installGatehouse(cluster);
  await readyPods(kubectl, 'dataplane', 2);
});

const attached = (parent: object, name: string, body: string) => {
  const { spec, ...fields } = route(name, host, { respond: { status: 200, body } });
  return { ...fields, spec: { ...spec, parentRefs: [parent] } };
};

describe('the Gateway of the chart', () => {
  it('is Accepted and Programmed', async () => {
    for (const condition of ['Accepted', 'Programmed']) {
      await kubectl.in(namespace)(
        ...['wait', `gateways.gateway.networking.k8s.io/${release}`],
        ...[`--for=condition=${condition}`, '--timeout=60s'],
      );
    }
  });

  it('serves Routes of other namespaces that name it', async () => {
    await program(kubectl, attached({ name: release, namespace }, 'shop', 'by the Gateway'));
    expect(await request(`http://${host}/`)).toEqual({ status: 200, body: 'by the Gateway' });
  });
});

describe('a Gateway with TLS', () => {
  let authority: Authority;

  const secretOf = async () => {
    const { certificate, key } = await authority.issue({ commonName: host, hosts: [host] });
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-tls' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': certificate, 'tls.key': key },
    };
  };

  beforeAll(async () => {
    authority = await createAuthority('Gatehouse e2e clients');
    await kubectl.apply([
      await secretOf(),
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: 'secure' },
        spec: {
          gatewayClassName: 'gatehouse',
          listeners: [
            {
              name: 'https',
              protocol: 'HTTPS',
              port: 8443,
              hostname: host,
              tls: { certificateRefs: [{ name: 'shop-tls' }] },
            },
          ],
        },
      },
    ]);
    await program(kubectl, attached({ name: 'secure' }, 'secure', 'by TLS'));
  });

  it('shows the certificate of its Secret', async () => {
    const answer = await requestTls(`https://${host}/`, authority.certificate);
    expect(answer).toMatchObject({ status: 200, body: 'by TLS' });
  });

  it('shows the new certificate soon after the Secret was changed', async () => {
    const { serial } = await requestTls(`https://${host}/`, authority.certificate);
    await kubectl.apply(await secretOf());
    await expect
      .poll(() => requestTls(`https://${host}/`, authority.certificate), { timeout: 10_000 })
      .not.toMatchObject({ serial });
  });
});
