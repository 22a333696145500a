/** The difference of one object, field by field, with what a person may copy from it. */
import type { VNode } from 'preact';
import type { FieldView, ObjectDetail, ObjectView } from '../../server/api/schema.ts';
import { hunkLines } from '../logic/compare.ts';
import { ignoreRuleOf, patchCommandOf, patchTextOf, valueText } from '../logic/copies.ts';
import { CompareLines } from '../parts/code-lines.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Time } from '../parts/time.tsx';

export function DifferenceOf({ object }: { readonly object: ObjectView & Partial<ObjectDetail> }): VNode {
  const { fields } = object;
  return (
    <>
      {object.liveRefusal !== undefined && (
        <Notice title="Values are not shown" tone="unknown">
          <p>{object.liveRefusal}</p>
        </Notice>
      )}
      {object.pruning && <Notice title="The object left Git and still exists" tone="warning" />}
      {!object.pruning && fields.length === 0 && <NoField object={object} />}
      {fields.length > 0 && <Copies object={object} />}
      <Fields object={object} />
    </>
  );
}

function NoField({ object: { sync, message } }: { readonly object: ObjectView }): VNode {
  if (sync === 'Synced') return <Notice title="The object is as Git has it" tone="ok" />;
  return (
    <Notice title="No field differs" tone={sync === 'OutOfSync' ? 'warning' : 'unknown'}>
      {message !== undefined && <p>{message}</p>}
    </Notice>
  );
}

function Copies({ object }: { readonly object: ObjectView }): VNode {
  const [patch, command] = [patchTextOf(object), patchCommandOf(object)];
  return (
    <div class="copies">
      <CopyButton label="Copy as ignore rule" text={ignoreRuleOf(object, object.fields)} />
      {patch !== undefined && object.patchMasked !== true && <CopyButton label="Copy as patch" text={patch} />}
      {command !== undefined && object.patchMasked !== true && (
        <CopyButton label="Copy kubectl command" text={command} />
      )}
    </div>
  );
}

export function Fields({ object }: { readonly object: ObjectView }): VNode {
  return (
    <ul class="fields">
      {object.fields.map((field) => (
        <li key={field.path}>
          <div class="field-head">
            <code class="field-path">{field.path}</code>
            <CopyButton label="Ignore rule" text={ignoreRuleOf(object, [field])} />
          </div>
          <Values field={field} isHidden={object.valuesHidden === true} />
          {field.manager !== undefined && (
            <p class="muted">
              {`live value by ${field.manager} `}
              {field.managedAt !== undefined && <Time at={field.managedAt} />}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

function Values({ field, isHidden }: { readonly field: FieldView; readonly isHidden: boolean }): VNode {
  const { path, hunks, live, desired } = field;
  if (isHidden) return <p class="muted">You may not see the values.</p>;
  if (hunks !== undefined) return <CompareLines lines={hunkLines(hunks)} label={`Difference at ${path}`} />;
  return (
    <dl class="values">
      <div class="removed">
        <dt>Live</dt>
        <dd>
          <code>{valueText(live)}</code>
        </dd>
      </div>
      <div class="added">
        <dt>Git</dt>
        <dd>
          <code>{valueText(desired)}</code>
        </dd>
      </div>
    </dl>
  );
}
