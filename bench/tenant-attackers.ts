/** The attackers of `npm run bench -- tenants`, in their order. */
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { bigObjects, manyApplications, slowAdmission, unsignedHooks } from './tenant-floods.ts';
import { configMap, declareMany, type Attack, type Scene } from './tenant-scene.ts';

export const ATTACKERS = {
  slowRenders,
  tricklingGitServers,
  suspendedNeighbours,
  scrapes,
  halfOpenConnections,
  bigObjects,
  unsignedHooks,
  slowAdmission,
  manyApplications,
} satisfies Record<string, Attack>;

export type AttackerName = keyof typeof ATTACKERS;

/** A small kustomization that takes minutes: patches whose selectors are compared with long names. */
function slowFolder(): Record<string, string> {
  const documents = Array.from({ length: 2_000 }, (_, n) => configMap('a'.repeat(230) + n)).join('\n---\n');
  const patches = Array.from({ length: 3_000 }, (_, n) => {
    const name = `([ab]*[ac]*){40}d${'c'.repeat(n % 50)}`;
    return `- {target: {kind: ConfigMap, name: "${name}"}, patch: "- {op: add, path: /data, value: {a: b}}"}\n`;
  });
  return { 'r.yaml': documents, 'kustomization.yaml': `resources: [r.yaml]\npatches:\n${patches.join('')}` };
}

async function slowRenders({ world }: Scene): Promise<() => Promise<void>> {
  const repository = await world.repository('slow');
  await repository.commit(slowFolder());
  const source = { repoURL: repository.url, interval: '10s' };
  return declareMany(world, { namespaces: ['slow-a', 'slow-b'], count: 6, specOf: () => ({ source }) });
}

async function suspendedNeighbours({ world, sharedRepository }: Scene): Promise<() => Promise<void>> {
  const specOf = (n: number) => ({ suspend: true, source: { repoURL: sharedRepository.url, path: `none-${n}` } });
  return declareMany(world, { namespaces: ['suspended'], count: 8, specOf });
}

/** Servers that answer polls and then send one packet of progress every ten seconds. */
async function tricklingGitServers({ world }: Scene): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    if (request.method === 'GET') advertise(response);
    else if (request.headers['git-protocol'] === 'version=2') listReferences(response);
    else trickle(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const specOf = (n: number) => ({ source: { repoURL: `${url}/r${n}.git`, interval: '10s' } });
  const remove = await declareMany(world, { namespaces: ['trickle-a', 'trickle-b'], count: 8, specOf });
  return async () => {
    server.closeAllConnections();
    server.close();
    await remove();
  };
}

const OID = 'a'.repeat(40);

function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}

function advertise(response: ServerResponse): void {
  const features = ['version 2\n', 'ls-refs\n', 'fetch=shallow\n'].map(packet).join('');
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
  response.end(`${packet('# service=git-upload-pack\n')}0000${features}0000`);
}

function listReferences(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
  response.end(`${packet(`${OID} HEAD symref-target:refs/heads/main\n`)}${packet(`${OID} refs/heads/main\n`)}0000`);
}

function trickle(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
  response.write(`${packet(`shallow ${OID}\n`)}0000${packet('NAK\n')}`);
  const timer = setInterval(() => response.write(packet('\x02.')), 10_000);
  response.on('close', () => clearInterval(timer));
}

async function scrapes({ agent }: Scene): Promise<() => Promise<void>> {
  let isOver = false;
  const loop = async (url: string): Promise<void> => {
    while (!isOver) {
      await fetch(url)
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
    }
  };
  const urls = [`${agent.metricsUrl}/metrics`, `${agent.apiUrl}/api/v1/applications`];
  const loops = Array.from({ length: 16 }, (_, n) => loop(urls[n % urls.length] as string));
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}

async function halfOpenConnections({ agent }: Scene): Promise<() => Promise<void>> {
  const sockets: Socket[] = [];
  for (const url of [agent.probesUrl, agent.metricsUrl, agent.apiUrl]) {
    for (let n = 0; n < 600; n++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
  }
  return async () => sockets.forEach((socket) => socket.destroy());
}
