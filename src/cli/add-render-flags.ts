/** The flags of `tautline render`. The file is imported at every start, so it imports nothing that takes time. */
import type { Command } from 'commander';

/** Flags that may be repeated are lists. */
export interface RenderFlags {
  readonly directory: boolean;
  readonly application?: string | undefined;
  readonly data?: readonly string[] | undefined;
  readonly source?: readonly string[] | undefined;
  readonly recurse?: boolean | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly namespace?: string | undefined;
  readonly namePrefix?: string | undefined;
  readonly nameSuffix?: string | undefined;
  readonly label?: readonly string[] | undefined;
  readonly annotation?: readonly string[] | undefined;
  readonly image?: readonly string[] | undefined;
  readonly replicas?: readonly string[] | undefined;
  readonly patch?: readonly string[] | undefined;
  readonly component?: readonly string[] | undefined;
  readonly ignoreMissingComponents?: boolean | undefined;
  /** Path or name of helm. */
  readonly helm: string;
  /** Path or name of sops; undefined: sealed files are not opened. */
  readonly sops?: string | undefined;
  readonly substitute?: readonly string[] | undefined;
}

export function addRenderFlags(command: Command): Command {
  return command
    .option('--directory', 'also accept a folder of plain manifests without a kustomization, as the agent does', false)
    .option('-f, --application <file>', 'take spec.render from the Application in this file')
    .option('--data <file>', 'file with ConfigMaps and Secrets that the Application reads', collect)
    .option('--source <name=dir>', 'folder in place of an entry of spec.sources', collect)
    .option('--recurse', 'read the folders below, too; implies --directory')
    .option('--include <glob>', 'read only files that match; implies --directory', collect)
    .option('--exclude <glob>', 'read no files that match; implies --directory', collect)
    .option('--namespace <name>', 'set the namespace of all namespaced objects')
    .option('--name-prefix <text>', 'set the text before every name')
    .option('--name-suffix <text>', 'set the text after every name')
    .option('--label <key=value>', 'set a label of every object', collect)
    .option('--annotation <key=value>', 'set an annotation of every object and Pod template', collect)
    .option('--image <image>', 'set an image: name=new-name:tag, name:tag or name@digest', collect)
    .option('--replicas <name=count>', 'set the number of replicas of a workload', collect)
    .option('--patch <file>', 'apply the strategic merge patches in this file', collect)
    .option('--component <dir>', 'add a component, relative to the folder, or $name/… of --source', collect)
    .option('--ignore-missing-components', 'leave out components whose folder does not exist')
    .option('--helm <program>', HELM_FLAG, 'helm')
    .option('--sops <program>', SOPS_FLAG)
    .option('--substitute <name=value>', 'set a variable', collect);
}

/** The description of `--helm`. */
export const HELM_FLAG = 'the program helm, which renders charts; a name is looked up in PATH';

/** The description of `--sops`. */
export const SOPS_FLAG =
  'open sealed files with this program (sops) and your own keys, as it finds them; default: they are not opened';

/** Gathers the values of a flag that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
