/** Search, counts and filters of the list. All of them stand in the address. */
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { Severity } from '../../server/api/schema.ts';
import { isFiltering, NO_FILTER, writeFilter, type Filter } from '../logic/filter.ts';
import { count, SEVERITY_TITLES, type Listed } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { useShortcuts } from '../parts/shortcuts.ts';

export interface FiltersProps {
  readonly filter: Filter;
  readonly applications: readonly Listed[];
  readonly counts: Readonly<Record<Severity, number>>;
  readonly labels: readonly string[];
  /** Number of Applications that pass the filter. */
  readonly shown: number;
}

const SEVERITIES = Object.keys(SEVERITY_TITLES) as Severity[];
const SYNC_WORDS = ['Synced', 'OutOfSync', 'Unknown'];
const HEALTH_WORDS = ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'];

export function Filters({ filter, applications, counts, labels, shown }: FiltersProps): VNode {
  const { route } = useLocation();
  const apply = (changes: Partial<Filter>): void => route(`/${writeFilter({ ...filter, ...changes })}`, true);
  const toggle = (severity: Severity): void => {
    const { severity: chosen } = filter;
    apply({ severity: chosen.includes(severity) ? chosen.filter((one) => one !== severity) : [...chosen, severity] });
  };
  const namespaces = [...new Set(applications.map(({ namespace }) => namespace))].sort();
  return (
    <section class="filters" aria-label="Filter">
      <div class="counts">
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            class={`count tone-${severity}`}
            aria-pressed={filter.severity.includes(severity)}
            onClick={() => toggle(severity)}
          >
            <Icon name={severity} />
            <b>{counts[severity].toLocaleString('en')}</b>
            <span>{SEVERITY_TITLES[severity]}</span>
          </button>
        ))}
      </div>
      <div class="choices">
        <Search value={filter.search} onChange={(search) => apply({ search })} />
        <Choice
          name="Namespace"
          values={namespaces}
          chosen={filter.namespace}
          onChange={(namespace) => apply({ namespace })}
        />
        <Choice name="Sync" values={SYNC_WORDS} chosen={filter.sync} onChange={(sync) => apply({ sync })} />
        <Choice name="Health" values={HEALTH_WORDS} chosen={filter.health} onChange={(health) => apply({ health })} />
        <label class="choice">
          <span>Group by</span>
          <select value={filter.group} onChange={({ currentTarget }) => apply({ group: currentTarget.value })}>
            <option value="state">state</option>
            <option value="namespace">namespace</option>
            {labels.map((label) => (
              <option key={label} value={`label:${label}`}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="shown muted" role="status">
        {isFiltering(filter) && (
          <>
            {`${count(shown, 'Application')} of ${applications.length.toLocaleString('en')} `}
            <button type="button" class="quiet" onClick={() => apply({ ...NO_FILTER, group: filter.group })}>
              Clear the filter
            </button>
          </>
        )}
      </p>
    </section>
  );
}

function Search({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }): VNode {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ '/': () => field.current?.focus() });
  return (
    <label class="search">
      <Icon name="search" />
      <span class="visually-hidden">Search Applications</span>
      <input
        ref={field}
        type="search"
        placeholder="Name, label, repository, message…"
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
        onKeyDown={({ key, currentTarget }) => key === 'Escape' && currentTarget.blur()}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly values: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
}

/** One value of a list; an address may name several, which stay until another one is chosen. */
function Choice({ name, values, chosen, onChange }: ChoiceProps): VNode {
  const several = chosen.length > 1 ? chosen.join(',') : '';
  return (
    <label class="choice">
      <span>{name}</span>
      <select
        value={chosen.join(',')}
        onChange={({ currentTarget }) => onChange(currentTarget.value.split(',').filter((word) => word !== ''))}
      >
        <option value="">all</option>
        {several !== '' && <option value={several}>{chosen.join(', ')}</option>}
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}
