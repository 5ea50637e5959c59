import type { EndpointSliceObject } from '@gatehouse/crds';
import { describe, expect, it } from 'vitest';
import { readyPods, unreported } from './expected.ts';
import type { Report } from './report.ts';

type Endpoint = EndpointSliceObject['endpoints'][number];

function slice(service: string, endpoints: Partial<Endpoint>[]): EndpointSliceObject {
  const [namespace = '', name = ''] = service.split('/');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 's', namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: endpoints.map((one) => ({ addresses: ['10.0.0.1'], ...one })),
  };
}
const pod = (name: string) => ({ targetRef: { kind: 'Pod', name } });

describe('the Pods that are ready behind a Service', () => {
  it.each<[string, Partial<Endpoint>, string[]]>([
    ['ready is the default', pod('a'), ['a']],
    ['ready', { ...pod('a'), conditions: { ready: true } }, ['a']],
    ['not ready', { ...pod('a'), conditions: { ready: false } }, []],
    ['terminating', { ...pod('a'), conditions: { ready: true, terminating: true } }, []],
    ['no Pod', { targetRef: { kind: 'Node', name: 'a' } }, []],
    ['nothing named', {}, []],
  ])('%s', (_name, endpoint, pods) => {
    expect(readyPods([slice('gw/dp', [endpoint])], 'gw/dp')).toEqual(pods);
  });

  it('come from all its slices and from no other Service', () => {
    const slices = [
      slice('gw/dp', [pod('b'), pod('a')]),
      slice('gw/dp', [pod('a'), pod('c')]),
      slice('gw/other', [pod('x')]),
      slice('other/dp', [pod('y')]),
    ];
    expect(readyPods(slices, 'gw/dp')).toEqual(['a', 'b', 'c']);
  });
});

it('names the data planes that nobody has reported', () => {
  const lane = { upTo: {}, except: [] };
  const known: Report = {
    format: 1,
    dataPlanes: [{ node: 'a', config: lane, endpoints: lane }],
    heldBack: [],
    at: {},
  };
  const { dataPlanes } = unreported(['a', 'b'], [known]);
  expect(dataPlanes).toEqual([
    { node: 'b', config: { upTo: null, except: [] }, endpoints: { upTo: null, except: [] } },
  ]);
});
