/** The field `configurations`: files with further field specs. */
import { isYamlMap } from '../../object/yaml/node.ts';
import { fail, withPlace } from '../fail.ts';
import { readDocuments } from '../manifest-text.ts';
import { mergeFieldSpecs } from './merge-field-specs.ts';
import { decode, list, struct } from './decode.ts';
import { NO_FIELD_SPECS, type FieldSpecs } from './field-specs/defaults.ts';
import { FIELD_SPEC, GVK } from './kustomization.ts';
import { entriesOf, loadText, locateFile, type Layer } from './layer.ts';

const SPECS = list(FIELD_SPEC);

const CONFIGURATION = struct({
  namePrefix: SPECS,
  nameSuffix: SPECS,
  namespace: SPECS,
  commonLabels: SPECS,
  labels: SPECS,
  templateLabels: SPECS,
  volumeClaimTemplateLabels: SPECS,
  commonAnnotations: SPECS,
  nameReference: list(struct({ ...GVK, fieldSpecs: SPECS })),
  varReference: SPECS,
  images: SPECS,
  replicas: SPECS,
});

export function loadConfigurations(layer: Layer): FieldSpecs {
  const atEntry = entriesOf(layer, 'configurations');
  return layer.kustomization.configurations.reduce((specs, path, index) => {
    const file = atEntry(index, () => locateFile(layer, path));
    return withPlace({ file }, () => mergeFieldSpecs(specs, readConfiguration(layer, path, file)));
  }, NO_FIELD_SPECS);
}

function readConfiguration(layer: Layer, path: string, file: string): FieldSpecs {
  const { limits } = layer.build.context;
  const documents = readDocuments(
    { text: loadText(layer, path), file, limits },
    { dialect: 'v2', nonTextKeys: 'text' },
  );
  const root = documents[0]?.root;
  if (root !== undefined && !isYamlMap(root))
    return fail('KustomizationInvalid', 'a configuration must be a map of field specs');
  return decode(CONFIGURATION, root, '', 'converting');
}
