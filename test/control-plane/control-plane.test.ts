import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useControlPlane } from '../support/use-world.ts';

const plane = useControlPlane();

test('an API server without controllers answers kubectl with its stamped version', async () => {
  const { stdout, code } = await plane.kubectl(['get', '--raw', '/version']);
  assert.equal(code, 0);
  assert.match((JSON.parse(stdout) as { gitVersion: string }).gitVersion, /^v1\./);
});

test('kubectl reads its standard input, and its failure is an exit code', async () => {
  const input = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'from-input' },
    data: { a: '1' },
  });
  assert.equal((await plane.kubectl(['apply', '-f', '-'], { input })).code, 0);
  const absent = await plane.kubectl(['get', 'configmap', 'absent']);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /NotFound/);
});

test('the token of a ServiceAccount has the rights that RBAC gives, and no others', async () => {
  const token = await plane.serviceAccountToken('tenant', 'deployer');
  const asDeployer = (resource: string): ReturnType<typeof plane.kubectl> =>
    plane.kubectl([
      `--kubeconfig=/dev/null`,
      `--server=${plane.url}`,
      `--certificate-authority=${plane.caFile}`,
      `--token=${token}`,
      '--namespace=tenant',
      'get',
      resource,
    ]);
  assert.match((await asDeployer('configmaps')).stderr, /Forbidden/);
  const role = ['create', 'role', 'reader', '--verb=get,list', '--resource=configmaps', '--namespace=tenant'];
  assert.equal((await plane.kubectl(role)).code, 0);
  const binding = await plane.kubectl([
    'create',
    'rolebinding',
    'deployer',
    '--role=reader',
    '--serviceaccount=tenant:deployer',
    '--namespace=tenant',
  ]);
  assert.equal(binding.code, 0, binding.stderr);
  assert.equal((await asDeployer('configmaps')).code, 0);
  assert.match((await asDeployer('secrets')).stderr, /Forbidden/);
});

test('a namespace with the restricted standard rejects a privileged Pod', async () => {
  await plane.serviceAccountToken('guarded', 'default');
  const enforce = 'pod-security.kubernetes.io/enforce=restricted';
  assert.equal((await plane.kubectl(['label', 'namespace', 'guarded', enforce])).code, 0);
  const answer = await plane.request('POST', '/api/v1/namespaces/guarded/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'privileged' },
    spec: { containers: [{ name: 'main', image: 'example.invalid/main', securityContext: { privileged: true } }] },
  });
  assert.equal(answer.code, 403);
  assert.match((answer.body as { message: string }).message, /violates PodSecurity/);
});

test('an API server that was killed restarts on the same port with the same data', async () => {
  assert.equal((await plane.kubectl(['create', 'configmap', 'kept', '--from-literal=a=1'])).code, 0);
  await plane.kill('kube-apiserver', 'SIGKILL');
  await assert.rejects(plane.request('GET', '/readyz'), { code: 'ECONNREFUSED' });
  await plane.restart('kube-apiserver');
  const answer = await plane.request('GET', '/api/v1/namespaces/default/configmaps/kept');
  assert.deepEqual((answer.body as { data: unknown }).data, { a: '1' });
});

test('a restarted etcd keeps its data, and restart() waits until reads work again', async () => {
  await plane.restart('etcd');
  assert.equal((await plane.request('GET', '/api/v1/namespaces/default/configmaps/kept')).code, 200);
});
