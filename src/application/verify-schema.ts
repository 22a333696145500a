/** The signatures that a source must have: the schema of `verify`, its Secret, and its rules about kinds of sources. */
import { z } from 'zod';
import { isArtifactSource, type SourceAddress } from './artifact-revision.ts';
import { DNS_SUBDOMAIN } from './names.ts';
import type { FieldRule } from './rules.ts';

export const secretReference = z.object({
  name: z.string().min(1).max(253).regex(DNS_SUBDOMAIN).describe('Name of the Secret.'),
});

export const verifySchema = z.object({
  provider: z
    .enum(['cosign', 'helm'])
    .optional()
    .describe(
      'Kind of the signature of an artifact: cosign, with keys, of an artifact or chart of a registry; helm, the ' +
        'provenance file (helm package --sign) of a chart of a Helm repository or registry. Default: none.',
    ),
  mode: z
    .enum(['head', 'tag', 'both'])
    .optional()
    .describe(
      'Object of a Git repository that must be signed, with SSH or OpenPGP: head is the commit, tag the annotated tag ' +
        'that names it, both is both. Default: none.',
    ),
  secretRef: secretReference.describe(
    "Secret in the Application's own namespace with public keys. For Git: allowed signers or public keys of SSH, and " +
      'armored public keys of OpenPGP, under any names. For helm: armored public keys of OpenPGP, under any names. For ' +
      'cosign: PEM, under names that end in .pub.',
  ),
});

interface VerifiedFields extends SourceAddress {
  readonly verify?: z.output<typeof verifySchema> | undefined;
}

/** cosign signs artifacts of registries, helm signs charts wherever they are, and Git signs commits and tags. */
export function verifyRules(field: string): FieldRule<VerifiedFields>[] {
  const isOci = (repoURL: string): boolean => repoURL.startsWith('oci://');
  return [
    {
      cel: '!has(self.verify) || has(self.verify.provider) != has(self.verify.mode)',
      holds: ({ verify }) => !verify || (verify.provider === undefined) !== (verify.mode === undefined),
      message: `${field}.verify needs either mode, for a Git repository, or provider, for a chart or artifact`,
    },
    {
      cel: "!has(self.verify) || !has(self.verify.provider) || self.verify.provider != 'helm' || self.repoURL.startsWith('oci://') || has(self.chart)",
      holds: (source) => source.verify?.provider !== 'helm' || isArtifactSource(source),
      message: `${field}.verify with provider helm needs a chart: ${field}.chart, or a repoURL that begins with oci://`,
    },
    {
      cel: "!has(self.verify) || !has(self.verify.provider) || self.verify.provider != 'cosign' || self.repoURL.startsWith('oci://')",
      holds: ({ verify, repoURL }) => verify?.provider !== 'cosign' || isOci(repoURL),
      message: `${field}.verify with provider cosign needs a repoURL that begins with oci://`,
    },
    {
      cel: "!has(self.verify) || !has(self.verify.mode) || !(self.repoURL.startsWith('oci://') || has(self.chart))",
      holds: (source) => source.verify?.mode === undefined || !isArtifactSource(source),
      message: `${field}.verify with mode needs a Git repository; a chart or artifact needs provider`,
    },
  ];
}
