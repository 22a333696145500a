/** Addresses of bases: the forms of kustomize's documentation, forms that it refuses, and random ones. */
import type { Chance } from '../../support/chance.ts';

export const ADDRESSES: readonly string[] = [
  'https://github.com/kubernetes-sigs/kustomize//examples/multibases/dev/?timeout=120&ref=v3.3.1',
  'https://github.com/kubernetes-sigs/kustomize//examples/multibases?ref=v3.3.1&submodules=false',
  'https://github.com/kubernetes-sigs/kustomize/examples/multibases?ref=v3.3.1',
  'github.com/kubernetes-sigs/kustomize/examples/multibases?ref=v1.0.6',
  'github.com/Liujingfang1/mysql?ref=test',
  'github.com:org/repo.git//path?ref=v1',
  'git::https://github.com/org/repo//path?ref=v1',
  'GIT::git@github.com:org/repo//path?ref=v1',
  'git@github.com:owner/repo//path?version=v1',
  'git@github.com/owner/repo/path?ref=v1',
  'ssh://git@github.com/org/repo.git//path?ref=v1',
  'ssh://git@ssh.github.com:443/org/repo//path?ref=v1',
  'org-12345@github.com:org/repo?ref=v1',
  'https://user@github.com/org/repo',
  'http://GitHub.com/org/repo',
  'https://www.github.com/org/repo',
  'https://dev.azure.com/org/project/_git/repo/path?ref=v1',
  'https://dev.azure.com/org/project/_git/repo//path//to?ref=v1',
  'https://git.example.com/a/b/c.git/path?ref=v1',
  'https://git.example.com:8443/a/b/c/d',
  'https://git.example.com/a/b//c//d/',
  'https://git.example.com//a/b/c',
  'https://git.example.com/org/site.github.io/deploy',
  'user@git.example.com:path/to/repo.git//deploy',
  'git@git.example.com:2222/org/repo.git',
  'git.user@git.example.com:org/repo',
  'git://git.example.com/org/repo',
  'gitlab.com/org/repo',
  'https://git.example.com/repo',
  'https://git.example.com',
  'https://',
  'https://git.example.com/org/repo//../outside',
  'https://git.example.com/org/repo//a/../b',
  'https://git.example.com/org/repo?ref=feature%2Fx',
  'https://git.example.com/org/repo?ref=feature/x+y',
  'https://git.example.com/org/repo?ref=%zz',
  'https://git.example.com/org/repo?ref=a;b',
  'https://git.example.com/org/repo?ref=&version=v2',
  'https://git.example.com/org/repo?submodules=perhaps&timeout=-1&ref=v1',
  'file:///tmp/no-such-repository//path?ref=v1',
  '/absolute/github.com/org/repo',
  '../base',
];

export function makeAddress(chance: Chance): string {
  const force = chance.may(0.15) ? chance.pick(['git::', 'GIT::']) : '';
  const scheme = chance.pick(['', '', 'https://', 'https://', 'HTTP://', 'ssh://', 'git://']);
  const user = chance.may(0.3) ? chance.pick(['git@', 'a-b@', 'u.v@', '1@']) : '';
  const host = chance.pick(['github.com', 'GitHub.com', 'git.example.com', 'git.example.com:8443', '']);
  const separator = chance.pick(['/', '/', '/', ':', '//', '']);
  const segments = Array.from({ length: chance.int(6) }, () => {
    return chance.pick(['a', 'b', 'org', 'repo', 'c.git', '.github', '_git', 'x.github.io', 'a b', '']);
  });
  const joint = (): string => chance.pick(['/', '/', '/', '//']);
  const joined = segments.reduce((text, one) => `${text}${text === '' ? '' : joint()}${one}`, '');
  const end = chance.may(0.2) ? '/' : '';
  const queries = ['', '', '?ref=v1', '?version=1&ref=', '?ref=x&timeout=10', '?ref=a;b', '?', '?ref=a+b%20c'];
  const query = chance.pick(queries);
  return `${force}${scheme}${user}${host}${separator}${joined}${end}${query}`;
}
