/** The figures of benchmarks as one flat list, and the table in which they are compared with an earlier run. */

/** By name: `sync.firstSyncMs`, `render.sizes.2.ms`. */
export type Figures = Readonly<Record<string, number>>;

/** All numbers in the answer of a benchmark, under the path that leads to them. Everything else is left out. */
export function figuresOf(name: string, answer: unknown): Figures {
  if (typeof answer === 'number') return { [name]: answer };
  if (typeof answer !== 'object' || answer === null) return {};
  const figures = Object.entries(answer).flatMap(([key, value]) => Object.entries(figuresOf(`${name}.${key}`, value)));
  return Object.fromEntries(figures);
}

/** Throws RangeError if `text` is not the JSON that `npm run bench -- all --json` prints. */
export function parseFigures(text: string): Figures {
  const value = tryParse(text);
  if (!isFigures(value)) {
    throw new RangeError('the file holds no figures: write one with npm run bench -- all --json');
  }
  return value;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFigures(value: unknown): value is Figures {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap && Object.values(value).every((figure) => typeof figure === 'number');
}

/** One line for each figure; with `against` also the earlier figure and the ratio to it. */
export function tableOf(figures: Figures, against?: Figures): string {
  const rows = Object.entries(figures).map(([name, figure]) => {
    const earlier = against?.[name];
    const ratio = earlier === undefined || earlier === 0 ? '' : `${(figure / earlier).toFixed(2)} x`;
    return against ? [name, numberText(figure), numberText(earlier), ratio] : [name, numberText(figure)];
  });
  const head = against ? ['FIGURE', 'NOW', 'BEFORE', 'RATIO'] : ['FIGURE', 'NOW'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) => lineOf(row, widths)).join('\n');
}

function lineOf([name = '', ...cells]: readonly string[], [first = 0, ...widths]: readonly number[]): string {
  const texts = cells.map((cell, column) => cell.padStart(widths[column] ?? 0));
  return [name.padEnd(first), ...texts].join('  ').trimEnd();
}

function numberText(figure: number | undefined): string {
  if (figure === undefined) return '';
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(2);
}
