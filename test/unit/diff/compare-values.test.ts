/** Values of built-in kinds are compared by meaning, those of custom kinds strictly: one row a case. */
import { container, testComparisons } from './comparison-rows.ts';

testComparisons([
  // Values of built-in kinds are compared by meaning.
  [
    'zero values that are not stored',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ env: [{ name: 'A', value: '' }], stdin: false, count: 0, args: [], command: null }),
      live: container({ env: [{ name: 'A' }] }),
    },
  ],
  [
    'quantities in another spelling',
    'same',
    'v1',
    'Pod',
    {
      desired: container({ resources: { limits: { cpu: 0.5, memory: '1024Mi', 'example.com/gpu': 1 } } }),
      live: container({ resources: { limits: { cpu: '500m', memory: '1Gi', 'example.com/gpu': '1' } } }),
    },
  ],
  [
    'a different quantity',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ resources: { limits: { cpu: '1' } } }),
      live: container({ resources: { limits: { cpu: '2' } } }),
    },
    '/spec/containers/0/resources/limits/cpu',
  ],
  [
    'a text that reads like a quantity',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { storage: '1000m' } },
      live: { data: { storage: '1' } },
    },
    '/data/storage',
  ],
  [
    'an environment variable that reads like a quantity',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: container({ env: [{ name: 'A', value: '1000m' }] }),
      live: container({ env: [{ name: 'A', value: '1' }] }),
    },
    '/spec/containers/0/env/0/value',
  ],
  [
    'a null in a map of texts',
    'same',
    'v1',
    'ConfigMap',
    { desired: { data: { a: null } }, live: { data: { a: '' } } },
  ],
  [
    'base64 with white space',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { binaryData: { a: 'YWJj\nZGVm\n' } },
      live: { binaryData: { a: 'YWJjZGVm' } },
    },
  ],
  [
    'a Secret value with the same digest',
    'same',
    'v1',
    'Secret',
    {
      desired: { data: { a: 'YWJj\nZGVm' } },
      live: { data: { a: 'sha256:vvV-x_U6bUC-tkCngKY5yDvCmsipgW8fxsXG3Nk8RyE' } },
    },
  ],
  [
    'a Secret value with a different digest',
    'inconclusive',
    'v1',
    'Secret',
    {
      desired: { data: { a: 'YWJj' } },
      live: { data: { a: 'sha256:vvV-x_U6bUC-tkCngKY5yDvCmsipgW8fxsXG3Nk8RyE' } },
    },
    '/data/a',
  ],
  // Custom kinds are compared strictly.
  [
    'a zero value of a custom kind that is not stored',
    'inconclusive',
    'x.dev/v1',
    'Thing',
    {
      desired: { spec: { a: '', b: 1 } },
      live: { spec: { b: 1 } },
    },
    '/spec/a',
  ],
  [
    'a quantity of a custom kind in another spelling',
    'inconclusive',
    'x.dev/v1',
    'Thing',
    {
      desired: { spec: { resources: { limits: { cpu: '0.5' } } } },
      live: { spec: { resources: { limits: { cpu: '500m' } } } },
    },
    '/spec/resources/limits/cpu',
  ],
]);
