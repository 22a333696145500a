/** Asks Prometheus's own packages when alerts fire, and for the answers to queries of dashboards. */
import assert from 'node:assert/strict';
import { prometheusJudgeBinary } from '../../control-plane/binaries.ts';
import { run } from '../command.ts';

/** The answer of the agent to one scrape. */
export interface Scrape {
  /** Seconds since 1970. */
  readonly at: number;
  /** The text format of Prometheus. */
  readonly text: string;
  /** Labels that Prometheus adds to each series, such as `job`. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Case {
  readonly scrapes: readonly Scrape[];
  /** A file of rule groups; JSON is YAML. */
  readonly rules: string;
  /** Seconds since 1970. Rules are evaluated from `from` to `until`, after each `every` seconds; queries at `until`. */
  readonly from: number;
  readonly every: number;
  readonly until: number;
  readonly queries: readonly string[];
}

export interface Verdict {
  readonly ruleErrors: readonly string[];
  /** The first time at which an alert fires with these labels. */
  readonly firing: readonly {
    readonly alert: string;
    readonly at: number;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** In the order of the queries. `values` are those of `series`. */
  readonly answers: readonly {
    readonly error?: string;
    readonly series: readonly Readonly<Record<string, string>>[];
    readonly values: readonly string[];
  }[];
}

export async function judge(input: Case): Promise<Verdict> {
  const { code, stdout, stderr } = await run(await prometheusJudgeBinary(), [], { input: JSON.stringify(input) });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Verdict;
}
